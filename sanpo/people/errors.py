"""What `people` refuses. For credentials one error stands for every reason, so that a guess learns nothing."""

from sanpo.ground.errors import DomainError, Kind


class SignInLinkIsNotValid(DomainError):
    """The one-time link was used, has expired, or never existed: all look the same."""

    code = "people.sign_in_link_is_not_valid"
    kind = Kind.GONE


class SignInLinksAreForDemos(DomainError):
    """One-time links are printed in a demo only; in production the city writes letters with invitations."""

    code = "people.sign_in_links_are_for_demos"
    kind = Kind.REFUSED


class PasskeyIsNotAccepted(DomainError):
    """The passkey signs nobody in: unknown, wrong origin, used challenge, bad signature, no person verified."""

    code = "people.passkey_is_not_accepted"
    kind = Kind.UNAUTHENTICATED


class PasskeyWasNotAdded(DomainError):
    """The new passkey cannot be kept: wrong origin, used or late challenge, unsuitable key, or known already."""

    code = "people.passkey_was_not_added"
    kind = Kind.INVALID


class LastPasskeyStays(DomainError):
    """Removing it would lock its holder out. Another one must be added first."""

    code = "people.last_passkey_stays"
    kind = Kind.CONFLICT


class TooManyAttempts(DomainError):
    """Too many failures in a row for this client or passkey. Field: retry_after_s."""

    code = "people.too_many_attempts"
    kind = Kind.TOO_MANY


class ActsForAnother(DomainError):
    """A representative may not touch the sign-in of the person represented."""

    code = "people.acts_for_another"
    kind = Kind.REFUSED


class RepresentsThemself(DomainError):
    """A person cannot be appointed as their own representative."""

    code = "people.represents_themself"
    kind = Kind.INVALID


class TermIsInvalid(DomainError):
    """A representative's term is empty, in the past, or too long. Fields: from_day, until_day, longest_years."""

    code = "people.term_is_invalid"
    kind = Kind.INVALID


class RepresentativeIsAppointed(DomainError):
    """The same two people have a term already that overlaps this one."""

    code = "people.representative_is_appointed"
    kind = Kind.CONFLICT


class MemberLivesElsewhere(DomainError):
    """A resident belongs to one household. Field: subject_no."""

    code = "people.member_lives_elsewhere"
    kind = Kind.CONFLICT


class ReferenceIsTaken(DomainError):
    """Two residents cannot have the same reference of the city's register."""

    code = "people.reference_is_taken"
    kind = Kind.CONFLICT


class OfficerServesTheCity(DomainError):
    """Only the city has officers; staff of other organisations are analysts. Field: kind."""

    code = "people.officer_serves_the_city"
    kind = Kind.INVALID


class ClientKeysAreUnusable(DomainError):
    """The JSON Web Key Set cannot verify this client's assertions. Field: problem."""

    code = "people.client_keys_are_unusable"
    kind = Kind.INVALID


class ClientIsNotAuthenticated(DomainError):
    """The token request proves no client: unknown, revoked, wrong secret, or an assertion that does not hold."""

    code = "people.client_is_not_authenticated"
    kind = Kind.UNAUTHENTICATED


class TokenRequestIsInvalid(DomainError):
    """The token request is not well formed (RFC 6749 §5.2 `invalid_request`). Field: problem."""

    code = "people.token_request_is_invalid"
    kind = Kind.INVALID


class GrantTypeIsUnsupported(DomainError):
    """Only `client_credentials` is offered (RFC 6749 §5.2 `unsupported_grant_type`)."""

    code = "people.grant_type_is_unsupported"
    kind = Kind.INVALID


class ScopeIsInvalid(DomainError):
    """The scope is not one `agreement:agr_…` (RFC 6749 §5.2 `invalid_scope`)."""

    code = "people.scope_is_invalid"
    kind = Kind.INVALID


class TokenIsNotValid(DomainError):
    """The bearer token is unknown, expired or revoked, or its client is."""

    code = "people.token_is_not_valid"
    kind = Kind.UNAUTHENTICATED


class FileCannotBeWritten(DomainError):
    """A file for the operator is there already or its folder cannot be written. Fields: file, problem."""

    code = "people.file_cannot_be_written"
    kind = Kind.CONFLICT


class RegisterIsUnreadable(DomainError):
    """The register's file is not there, or may not be read. Fields: file, problem."""

    code = "people.register_is_unreadable"
    kind = Kind.INVALID


class RegisterIsNotText(DomainError):
    """The register's file is in another encoding. Fields: file, row, encoding, others."""

    code = "people.register_is_not_text"
    kind = Kind.INVALID


class RegisterIsMalformed(DomainError):
    """The register's file is no CSV from some row on, such as for an open quotation mark. Fields: file, row, problem."""

    code = "people.register_is_malformed"
    kind = Kind.INVALID


class RegisterHeaderIsUnknown(DomainError):
    """A column of the register is unknown, comes twice, or is missing. Fields: file, column, accepted."""

    code = "people.register_header_is_unknown"
    kind = Kind.INVALID


class RegisterHasNationalNumbers(DomainError):
    """A column holds national numbers, by its name or by what is in it; none is ever taken. Fields: file, column."""

    code = "people.register_has_national_numbers"
    kind = Kind.REFUSED


class RegisterHasNoRows(DomainError):
    """The register's file has no person in it. Field: file."""

    code = "people.register_has_no_rows"
    kind = Kind.INVALID


class RegisterHasBadRows(DomainError):
    """Rows cannot be used, so nothing was imported. Fields: file, bad, rows, reasons, counts, first."""

    code = "people.register_has_bad_rows"
    kind = Kind.INVALID


class RegisterHasOnlyBadRows(DomainError):
    """Without its bad rows nothing is left to import. Fields: as `RegisterHasBadRows`."""

    code = "people.register_has_only_bad_rows"
    kind = Kind.INVALID
