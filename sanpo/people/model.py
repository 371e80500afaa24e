"""The nouns of `people` and their pure rules."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Literal
from urllib.parse import urlsplit

from sanpo.ground.errors import InputIsInvalid
from sanpo.people.errors import RepresentsThemself, TermIsInvalid

Language = Literal["ja", "en"]
OrganisationKind = Literal["city", "university", "company"]
StaffRole = Literal["officer", "analyst"]
RepresentativeRole = Literal["parent", "carer"]
SignedInWith = Literal["passkey", "link"]

LONGEST_TERM_YEARS = 20
_LONGEST_TEXT = 200
_EARLIEST_BIRTH_YEAR, _LATEST_BIRTH_YEAR = 1880, 2200
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
_REFERENCE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._/-]{0,63}")
# Unicode's categories Cc, Cs, Zl and Zp. Characters of a city's own (外字, category Co) are part of names.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_OWN_ID = re.compile(r"[a-z]{3}_")


@dataclass(frozen=True)
class NewResident:
    """A person as the city's register gives them. `birth_year` in the common era; no national number, ever.

    `reference` is the number by which the city's own register knows them, where it gives one.
    """

    name: str
    name_kana: str
    address: str
    area: str
    email: str | None = None
    birth_year: int | None = None
    language: Language = "ja"
    reference: str | None = None


class Reason(StrEnum):
    """Why a row of the register cannot be used; the words `people.reason.<value>` say what would be accepted."""

    EMPTY = "empty"
    TOO_LONG = "too_long"
    UNPRINTABLE = "unprintable"
    MALFORMED_EMAIL = "malformed_email"
    MALFORMED_BIRTH_YEAR = "malformed_birth_year"
    UNKNOWN_LANGUAGE = "unknown_language"
    MALFORMED_REFERENCE = "malformed_reference"
    WRONG_COLUMNS = "wrong_columns"
    REPEATED_REFERENCE = "repeated_reference"
    REPEATED_PERSON = "repeated_person"
    AMBIGUOUS_PERSON = "ambiguous_person"
    HOUSEHOLD_IN_TWO_AREAS = "household_in_two_areas"


@dataclass(frozen=True)
class Registered:
    """A resident's public identifier and the number that the rest of the house knows."""

    resident_id: str
    subject_no: int


@dataclass(frozen=True)
class Identity:
    """Who a resident is. Leaves this district only on the resident's own page and in their own export."""

    name: str
    name_kana: str
    address: str
    area: str
    email: str | None
    birth_year: int | None
    language: Language
    registered_at: datetime
    reference: str | None
    vanished_at: datetime | None


@dataclass(frozen=True)
class NewHousehold:
    """A home in an area of the city and who lives there."""

    area: str
    subject_nos: tuple[int, ...]


@dataclass(frozen=True)
class Household:
    """A home without names: area and members by number."""

    household_no: int
    household_id: str
    area: str
    subject_nos: tuple[int, ...]


@dataclass(frozen=True)
class NewOrganisation:
    """An organisation to register. `webhook_url` is where it hears of withdrawals; None if it polls."""

    name_ja: str
    name_en: str
    kind: OrganisationKind
    contact: str
    webhook_url: str | None = None


@dataclass(frozen=True)
class Organisation:
    """A registered organisation; its names, kind and contact are public."""

    organisation_id: str
    organisation_no: int
    name_ja: str
    name_en: str
    kind: OrganisationKind
    contact: str
    webhook_url: str | None
    registered_at: datetime

    def name(self, lang: str) -> str:
        return self.name_ja if lang == "ja" else self.name_en


@dataclass(frozen=True)
class Representation:
    """One person may act for another, from `valid_from` up to but not including `valid_until`."""

    representation_no: int
    resident_id: str
    representative_resident_id: str
    role: RepresentativeRole
    valid_from: datetime
    valid_until: datetime
    ended_at: datetime | None


@dataclass(frozen=True)
class ClientCredentials:
    """A new client, or a new secret of one. The secret is shown this once and stored as a hash."""

    client_id: str
    secret: str


@dataclass(frozen=True)
class Holder:
    """Whose a credential is: a resident's or a member of staff's. Exactly one of the two is set."""

    subject_no: int | None
    staff_id: str | None


@dataclass(frozen=True)
class Passkey:
    """One of a holder's keys, by its identifier in base64url."""

    credential_id: str
    label: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class NewSession:
    """A session that has just begun: `token` goes into the cookie and nowhere else.

    `has_passkey` is False where its holder cannot come in again without another link.
    """

    session_id: str
    token: str
    expires_at: datetime
    has_passkey: bool = True


@dataclass(frozen=True)
class Lifetime:
    """How long a session lasts at most, and how long unused."""

    whole: timedelta
    idle: timedelta


# A resident's phone is their own; a member of staff sees more, often at a shared desk.
RESIDENT_SESSION = Lifetime(whole=timedelta(days=30), idle=timedelta(days=14))
STAFF_SESSION = Lifetime(whole=timedelta(hours=12), idle=timedelta(hours=1))


@dataclass(frozen=True)
class RelyingParty:
    """For whom a passkey is made: the domain it is bound to and the origin that pages must have."""

    rp_id: str
    origin: str


def relying_party(origin: str) -> RelyingParty:
    """The relying party of a city at `origin`.

    A passkey is bound to a domain, and an address in figures is none (W3C WebAuthn §5.1.2), so that a city on
    loopback has its passkeys at `localhost`.
    """
    parts = urlsplit(origin)
    host = parts.hostname or "localhost"
    if host not in ("127.0.0.1", "::1"):
        return RelyingParty(host, origin)
    port = f":{parts.port}" if parts.port else ""
    return RelyingParty("localhost", f"{parts.scheme}://localhost{port}")


def flaws_of(new: NewResident) -> Iterator[tuple[str, Reason]]:
    """Fields that cannot be registered, each with the reason."""
    for field in ("name", "name_kana", "address", "area"):
        if (reason := _text_flaw(getattr(new, field))) is not None:
            yield field, reason
    if new.language not in ("ja", "en"):
        yield "language", Reason.UNKNOWN_LANGUAGE
    if new.email is not None and not (_EMAIL.fullmatch(new.email) and _text_flaw(new.email) is None):
        yield "email", Reason.MALFORMED_EMAIL
    if new.birth_year is not None and not _EARLIEST_BIRTH_YEAR <= new.birth_year <= _LATEST_BIRTH_YEAR:
        yield "birth_year", Reason.MALFORMED_BIRTH_YEAR
    if new.reference is not None and not is_reference(new.reference):
        yield "reference", Reason.MALFORMED_REFERENCE


def is_reference(text: str) -> bool:
    """Whether a register may know somebody by `text`: up to 64 letters, digits and `._/-`, unlike our own identifiers."""
    return _REFERENCE.fullmatch(text) is not None and not _OWN_ID.match(text)


def check_resident(new: NewResident, where: str) -> None:
    """Raises `InputIsInvalid` naming the field under `where`."""
    accepted = {
        Reason.EMPTY: f"1–{_LONGEST_TEXT}",
        Reason.TOO_LONG: f"1–{_LONGEST_TEXT}",
        Reason.UNPRINTABLE: "no control characters",
        Reason.UNKNOWN_LANGUAGE: "ja | en",
        Reason.MALFORMED_EMAIL: "name@host",
        Reason.MALFORMED_BIRTH_YEAR: f"{_EARLIEST_BIRTH_YEAR}–{_LATEST_BIRTH_YEAR}",
        Reason.MALFORMED_REFERENCE: "1–64: 0-9 A-Z a-z . _ / -",
    }
    for field, reason in flaws_of(new):
        raise InputIsInvalid(where=f"{where}.{field}", problem=accepted[reason])


def check_residents(new: Sequence[NewResident]) -> None:
    """Raises `InputIsInvalid` for the first resident that cannot be registered."""
    for place, resident in enumerate(new):
        check_resident(resident, f"residents[{place}]")


def check_organisation(new: NewOrganisation, *, plain_http: bool) -> None:
    """Raises `InputIsInvalid`. A webhook must be https, but a demo (`plain_http`) may use http."""
    for field in ("name_ja", "name_en", "contact"):
        _check_text(getattr(new, field), field)
    if new.webhook_url is None:
        return
    schemes = ("https", "http") if plain_http else ("https",)
    try:
        parts = urlsplit(new.webhook_url)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.username is None
    except ValueError:
        usable = False
    if not usable or len(new.webhook_url) > 2000 or not new.webhook_url.isprintable():
        raise InputIsInvalid(where="webhook_url", problem=f"{' | '.join(schemes)}://host/…")


def check_term(subject_no: int, representative_subject_no: int, start: datetime, end: datetime, now: datetime) -> None:
    """Raises `RepresentsThemself` or `TermIsInvalid`: a term has a future end, at most 20 years after its start."""
    if subject_no == representative_subject_no:
        raise RepresentsThemself
    longest = timedelta(days=366 * LONGEST_TERM_YEARS)
    if not (start < end and now < end and end - start <= longest):
        raise TermIsInvalid(
            from_day=start.date().isoformat(), until_day=end.date().isoformat(), longest_years=LONGEST_TERM_YEARS
        )


def _check_text(value: Any, where: str) -> None:
    if not isinstance(value, str) or _text_flaw(value) is not None:
        raise InputIsInvalid(where=where, problem=f"1–{_LONGEST_TEXT}")


def _text_flaw(text: str) -> Reason | None:
    if not text.strip():
        return Reason.EMPTY
    if len(text) > _LONGEST_TEXT:
        return Reason.TOO_LONG
    return Reason.UNPRINTABLE if _UNPRINTABLE.search(text) else None
