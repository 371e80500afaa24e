"""Errors as ProblemDetails (§5.5.2, §6.3.2; RFC 9457), with the type that NGSI-LD names."""

from collections.abc import Mapping
from typing import Any

from sanpo.broker.model import NGSI_LD
from sanpo.broker.ngsi_ld.calls import Headers, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.store import encode
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError


def on_error(city: City, error: DomainError, headers: Mapping[str, str]) -> Reply:
    """A domain error as the answer to a request."""
    status = error.surface.status
    body = problem_of(city, error, "ja" if headers.get("accept-language", "").startswith("ja") else "en")
    more: Headers = [(b"www-authenticate", b'Bearer realm="sanpo"')] if status == 401 else []
    return Reply(status, encode(body), JSON, more)


def problem_of(city: City, error: DomainError, lang: str = "en") -> dict[str, Any]:
    """A domain error as a JSON object."""
    surface = error.surface
    detail = city.words.text(lang, f"error.{error.code}", **error.fields)
    title = city.words.text(lang, f"broker.problem.{surface.ngsi_ld.rsplit('/', 1)[-1].rsplit(':', 1)[-1]}")
    return {"type": surface.ngsi_ld, "title": title, "status": surface.status, "detail": detail}


def problem(status: int, kind: str, title: str, detail: str) -> Reply:
    """An answer to what reaches no operation."""
    return Reply(
        status, encode({"type": f"{NGSI_LD}errors/{kind}", "title": title, "status": status, "detail": detail}), JSON
    )
