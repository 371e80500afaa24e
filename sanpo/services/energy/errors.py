"""What can go wrong in the energy service."""

from sanpo.ground.errors import DomainError, Kind


class FileIsUnreadable(DomainError):
    """The file is not there, or may not be read. Fields: file, problem."""

    code = "energy.file_is_unreadable"
    kind = Kind.INVALID


class FileIsEmpty(DomainError):
    """The file has no content. Field: file."""

    code = "energy.file_is_empty"
    kind = Kind.INVALID


class FileHasNoReadings(DomainError):
    """There is a header or a feed, but no reading in it. Field: file."""

    code = "energy.file_has_no_readings"
    kind = Kind.INVALID


class FileIsTruncated(DomainError):
    """The gzip data end too early or are damaged. Fields: file, problem."""

    code = "energy.file_is_truncated"
    kind = Kind.INVALID


class FileHeaderIsUnknown(DomainError):
    """The first line is not the header of readings. Fields: file, found, expected."""

    code = "energy.file_header_is_unknown"
    kind = Kind.INVALID


class FileIsNotUtf8(DomainError):
    """A row is in another encoding. Fields: file, row."""

    code = "energy.file_is_not_utf8"
    kind = Kind.INVALID


class FileLineIsTooLong(DomainError):
    """A line has more than 65,535 bytes, so that it cannot be a reading. Fields: file, row."""

    code = "energy.file_line_is_too_long"
    kind = Kind.INVALID


class FileIsUnsafeXml(DomainError):
    """The XML declares a document type or entities, which a Green Button file never needs. Fields: file, problem."""

    code = "energy.file_is_unsafe_xml"
    kind = Kind.INVALID


class FileIsMalformedXml(DomainError):
    """The XML cannot be parsed, or a number in it is none. Fields: file, problem."""

    code = "energy.file_is_malformed_xml"
    kind = Kind.INVALID


class FileIsNotGreenButton(DomainError):
    """It is XML, but no Atom feed of NAESB ESPI. Fields: file, found."""

    code = "energy.file_is_not_green_button"
    kind = Kind.INVALID


class TimezoneIsUnknown(DomainError):
    """No IANA time zone has this name. Field: timezone."""

    code = "energy.timezone_is_unknown"
    kind = Kind.INVALID


class FileIsFromAnotherZone(DomainError):
    """No row's offset is one that the assumed zone has. Fields: file, found, timezone."""

    code = "energy.file_is_from_another_zone"
    kind = Kind.INVALID


class FileHasBadRows(DomainError):
    """Rows cannot be imported, so nothing was. Fields: file, bad, rows, reasons, counts, first, unknown_meters."""

    code = "energy.file_has_bad_rows"
    kind = Kind.INVALID


class FileHasOnlyBadRows(DomainError):
    """Without its bad rows nothing is left to import. Fields: as `FileHasBadRows`."""

    code = "energy.file_has_only_bad_rows"
    kind = Kind.INVALID


class FileIsAlreadyImported(DomainError):
    """The same file was imported before. Fields: file, at, import_id."""

    code = "energy.file_is_already_imported"
    kind = Kind.CONFLICT


class MeterIsAlreadyRegistered(DomainError):
    """A meter belongs to another resident already. Field: meter_id."""

    code = "energy.meter_is_already_registered"
    kind = Kind.CONFLICT


class MeterIdIsInvalid(DomainError):
    """A meter's name is empty, too long, or has characters that a file could not carry. Field: given."""

    code = "energy.meter_id_is_invalid"
    kind = Kind.INVALID


class HomeIsInvalid(DomainError):
    """A value that describes a home is not one of the accepted. Fields: where, given, accepted."""

    code = "energy.home_is_invalid"
    kind = Kind.INVALID
