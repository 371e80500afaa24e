"""Errors of the domain: a code, typed fields and a kind. Doors translate them by the one table below.

A message is found in the words under `error.<code>`; it says what, where, and what would be accepted.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar


class Kind(Enum):
    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    REFUSED = "refused"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    TOO_MANY = "too_many"
    UNSUPPORTED = "unsupported"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class Surface:
    """How one kind of error looks from outside: HTTP status, NGSI-LD error type, exit code of the command line."""

    status: int
    ngsi_ld: str
    exit_code: int


_NGSI_LD = "https://uri.etsi.org/ngsi-ld/errors/"
SURFACES: dict[Kind, Surface] = {
    Kind.INVALID: Surface(400, _NGSI_LD + "BadRequestData", 2),
    Kind.UNAUTHENTICATED: Surface(401, "about:blank", 3),
    Kind.REFUSED: Surface(403, _NGSI_LD + "OperationNotSupported", 4),
    Kind.NOT_FOUND: Surface(404, _NGSI_LD + "ResourceNotFound", 5),
    Kind.CONFLICT: Surface(409, _NGSI_LD + "AlreadyExists", 6),
    Kind.GONE: Surface(410, _NGSI_LD + "ResourceNotFound", 7),
    Kind.TOO_MANY: Surface(429, _NGSI_LD + "TooManyResults", 8),
    Kind.UNSUPPORTED: Surface(422, _NGSI_LD + "OperationNotSupported", 9),
    Kind.UNAVAILABLE: Surface(503, _NGSI_LD + "InternalError", 10),
}


class DomainError(Exception):
    """A refusal that a user can act on. Subclasses are sentences and set `code` and `kind`; fields fill the message."""

    code: ClassVar[str]
    kind: ClassVar[Kind]

    def __init__(self, **fields: Any) -> None:
        self.fields = fields
        shown = ", ".join(f"{name}={value!r}" for name, value in fields.items())
        super().__init__(f"{self.code}({shown})")

    @property
    def surface(self) -> Surface:
        return SURFACES[self.kind]


class NotPermitted(DomainError):
    """The actor may not do this. `needed` names the role that may."""

    code = "ground.not_permitted"
    kind = Kind.REFUSED


class NotSignedIn(DomainError):
    """No valid session or token came with the request."""

    code = "ground.not_signed_in"
    kind = Kind.UNAUTHENTICATED


class NotFound(DomainError):
    """Nothing is there, or it is not the actor's to see: both look the same. `what` is the noun."""

    code = "ground.not_found"
    kind = Kind.NOT_FOUND


class InputIsInvalid(DomainError):
    """A request's body or parameter does not have the shape asked for. `where` is its path, `problem` what is wrong."""

    code = "ground.input_is_invalid"
    kind = Kind.INVALID


def all_errors() -> list[type[DomainError]]:
    """Every error class that is loaded, by code: the source of the reference page and of the completeness tests."""
    found: dict[str, type[DomainError]] = {}
    todo = list(DomainError.__subclasses__())
    while todo:
        error = todo.pop()
        todo.extend(error.__subclasses__())
        if "code" in vars(error):
            found[error.code] = error
    return [found[code] for code in sorted(found)]
