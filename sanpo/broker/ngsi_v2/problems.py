"""Errors as NGSIv2 has them ("Error Responses"): `error` and `description`."""

from collections.abc import Mapping

from sanpo.broker.errors import PayloadIsNotJson
from sanpo.broker.ngsi_ld.calls import Headers, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.store import encode
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, Kind

SURFACES: dict[Kind, tuple[int, str]] = {
    Kind.INVALID: (400, "BadRequest"),
    Kind.UNAUTHENTICATED: (401, "Unauthorized"),
    Kind.REFUSED: (403, "Forbidden"),
    Kind.NOT_FOUND: (404, "NotFound"),
    Kind.CONFLICT: (422, "Unprocessable"),
    Kind.GONE: (404, "NotFound"),
    Kind.TOO_MANY: (409, "TooManyResults"),
    Kind.UNSUPPORTED: (501, "NotImplemented"),
    Kind.UNAVAILABLE: (503, "ServiceUnavailable"),
}
"""By kind of error: the status and the `error` that a client of NGSIv2 reads."""


def on_error(city: City, error: DomainError, headers: Mapping[str, str]) -> Reply:
    """A domain error as the answer to a request."""
    lang = "ja" if headers.get("accept-language", "").startswith("ja") else "en"
    status, name = (400, "ParseError") if isinstance(error, PayloadIsNotJson) else SURFACES[error.kind]
    more: Headers = [(b"www-authenticate", b'Bearer realm="sanpo"')] if status == 401 else []
    return problem(status, name, city.words.text(lang, f"error.{error.code}", **error.fields), more)


def problem(status: int, name: str, description: str, headers: Headers | None = None) -> Reply:
    return Reply(status, encode({"error": name, "description": description}), JSON, headers or [])
