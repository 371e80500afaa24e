"""Errors over HTTP: RFC 9457 problem documents for programs, a readable page for people, never a traceback."""

from typing import Any

import structlog
from litestar import MediaType, Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from sanpo.ground.errors import DomainError, InputIsInvalid, Kind, NotFound

log = structlog.get_logger()


class Problem(Struct, omit_defaults=True):
    """RFC 9457 §3.1 with the domain's code; `fields` are the error's own."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    fields: dict[str, Any] = {}


_DESCRIPTIONS = {
    400: "The request is not valid; the problem says where and what would be accepted.",
    401: "No valid session or token.",
    403: "Refused; the problem names the rule.",
    404: "Not there, or not yours to see.",
    409: "In conflict with the present state.",
    410: "No longer available.",
    413: "The body is too large.",
    422: "Understood, but not supported.",
    429: "Too many requests; see Retry-After.",
    503: "Temporarily unavailable; nothing was changed.",
}


def problem_responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The error statuses of a handler, for its OpenAPI entry. 400, 413 and 503 can come from any and are always in."""
    return {
        status: ResponseSpec(
            data_container=Problem, media_type="application/problem+json", description=_DESCRIPTIONS[status]
        )
        for status in sorted({400, 413, 503, *statuses})
    }


def on_domain_error(request: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    """Translates a domain error for whoever asked: a program or a person."""
    status = error.surface.status
    headers = {"Retry-After": str(error.fields.get("retry_after_s", 1))} if status in (429, 503) else {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="sanpo"'
    lang = language_of(request)
    words = request.app.state.city.words
    detail = words.text(lang, f"error.{error.code}", **error.fields)
    title = words.text(lang, "ground.error.title")
    if wants_page(request):
        return _page(request, status, title, detail, error.code, headers)
    problem = Problem(f"/problems/{error.code}", title, status, detail, error.code, _plain(error.fields))
    return Response(problem, status_code=status, media_type="application/problem+json", headers=headers)


def on_http_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """The web framework's own errors (no route, bad body) in the same form."""
    if isinstance(error, ValidationException) or error.status_code == 400:
        return on_domain_error(request, InputIsInvalid(where=_where(error), problem=_what(error)))
    if error.status_code == 404:
        return on_domain_error(request, NotFound())
    lang = language_of(request)
    title = request.app.state.city.words.text(lang, "ground.error.title")
    code = f"http.{error.status_code}"
    if wants_page(request):
        return _page(request, error.status_code, title, error.detail, code, {})
    problem = Problem("about:blank", title, error.status_code, error.detail, code)
    return Response(
        problem, status_code=error.status_code, media_type="application/problem+json", headers=error.headers or {}
    )


def on_unreadable(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """What no reader gets through, or no column can hold: nesting without end, broken UTF-8, NUL, too large a number."""
    log.warning("request_unreadable", path=request.scope["path"].split("/")[1:3], problem=type(error).__name__)
    problem = "nested too deep" if isinstance(error, RecursionError) else "not UTF-8, or a value out of range"
    return on_domain_error(request, InputIsInvalid(where="request", problem=problem))


def on_no_file(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A name that no file can have, such as one with NUL or of 5,000 letters."""
    return on_domain_error(request, NotFound())


def on_crash(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    """A defect of ours. The log has the trace; the outside learns only that it happened."""
    log.exception("request_crashed", path=request.scope["path"].split("/")[1:3], problem=type(error).__name__)
    words = request.app.state.city.words
    title = words.text(language_of(request), "ground.error.title")
    if wants_page(request):
        return _page(request, 500, title, title, "ground.crash", {})
    problem = Problem("about:blank", title, 500, title, "ground.crash")
    return Response(problem, status_code=500, media_type="application/problem+json")


def wants_page(request: Request[Any, Any, Any]) -> bool:
    """True where a person should see HTML: outside the API's paths."""
    path: str = request.scope["path"]
    return not path.startswith(("/api/", "/oauth/", "/ngsi-ld/", "/.well-known/", "/schema"))


def language_of(request: Request[Any, Any, Any]) -> str:
    """`ja` or `en`: the cookie that the language switch sets, else Accept-Language, else Japanese."""
    chosen = request.cookies.get("lang")
    if chosen in ("ja", "en"):
        return chosen
    accepted = request.headers.get("accept-language", "")
    english, japanese = accepted.find("en"), accepted.find("ja")
    return "en" if english >= 0 and (japanese < 0 or english < japanese) else "ja"


def _page(
    request: Request[Any, Any, Any], status: int, title: str, detail: str, code: str, headers: dict[str, str]
) -> Response[Any]:
    from sanpo.ground.html import render_text

    body = render_text(request, "portal/error.html", status=status, title=title, detail=detail, code=code)
    return Response(body, status_code=status, media_type=MediaType.HTML, headers=headers)


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {
        name: value if isinstance(value, str | int | bool | list | dict | None) else str(value)
        for name, value in fields.items()
    }


def _where(error: HTTPException) -> str:
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        return str(extra[0].get("key", "body"))
    return "body"


def _what(error: HTTPException) -> str:
    extra = error.extra
    if isinstance(extra, list) and extra and isinstance(extra[0], dict):
        found = str(extra[0].get("message", error.detail))
        return "is missing" if found == repr(extra[0].get("key")) else found
    return error.detail


__all__ = [
    "Kind",
    "Problem",
    "language_of",
    "on_crash",
    "on_domain_error",
    "on_http_error",
    "on_no_file",
    "on_unreadable",
    "problem_responses",
]
