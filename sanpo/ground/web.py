"""The web shell: one Litestar application over the districts' handlers, with actor, problems and security headers.

Handlers are synchronous functions run on threads; they get `city` and `actor` injected and raise domain errors.
"""

import asyncio
import json
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import psycopg
from litestar import Litestar, Request, get
from litestar.config.response_cache import ResponseCacheConfig
from litestar.datastructures import Cookie, State
from litestar.di import Provide
from litestar.exceptions import HTTPException, InternalServerException
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.types import Message, Scope
from litestar.utils.sync import AsyncCallable

from sanpo import __version__
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.csrf import check_csrf
from sanpo.ground.errors import DomainError
from sanpo.ground.html import CONTENT_SECURITY_POLICY, render
from sanpo.ground.problems import (
    on_crash,
    on_domain_error,
    on_http_error,
    on_no_file,
    on_unreadable,
    problem_responses,
)

__all__ = ["WebParts", "create_web", "problem_responses", "render", "safe_next"]

MAX_BODY_BYTES = 4 * 1024 * 1024
ResolveActor = Callable[..., Actor]
# Browsers drop tabs and line ends from an address and read a backslash as a slash: what is left could be another site.
_OWN_PATH = re.compile(r"/(?!/)[!-\[\]-~]*")
_SECURITY_HEADERS = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)


@dataclass(frozen=True)
class WebParts:
    """What the application puts together: handlers of all districts and how a session becomes an actor."""

    handlers: list[Any]
    templates: jinja2.Environment
    resolve_actor: ResolveActor
    static: Path


def create_web(city: City, parts: WebParts) -> Litestar:
    """The ASGI application of one city."""
    static = create_static_files_router(
        "/static",
        directories=[parts.static],
        send_as_attachment=False,
        exception_handlers=dict.fromkeys((ValueError, InternalServerException), on_no_file),
    )
    app = Litestar(
        route_handlers=[*parts.handlers, static, choose_language, health],
        dependencies={
            "city": Provide(_city, sync_to_thread=False),
            "actor": Provide(_actor),
        },
        exception_handlers={
            DomainError: on_domain_error,
            HTTPException: on_http_error,
            **dict.fromkeys((RecursionError, UnicodeDecodeError, psycopg.DataError), on_unreadable),
            Exception: on_crash,
        },
        before_send=[_secure],
        on_startup=[_threads(city.settings.http_threads)],
        request_max_body_size=MAX_BODY_BYTES,
        state=State(
            {
                "city": city,
                "templates": parts.templates,
                "resolve_actor": parts.resolve_actor,
                "session_cookie": session_cookie_name(city),
                "asset": _assets(parts.static),
            }
        ),
        openapi_config=OpenAPIConfig(
            title="Sanpo",
            version=__version__,
            path="/schema",
            use_handler_docstrings=True,
            render_plugins=[JsonRenderPlugin()],
        ),
        response_cache_config=ResponseCacheConfig(default_expiration=None),
        pdb_on_exception=False,
        debug=False,
        logging_config=None,
    )
    _undo_double_threads(app)
    return app


def _undo_double_threads(app: Litestar) -> None:
    """Litestar 2.25 registers the GET of a path again when a POST joins it, and puts it on a thread twice."""
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            while isinstance(getattr(handler.fn, "func", None), AsyncCallable):
                handler._fn = handler.fn.func


def session_cookie_name(city: City) -> str:
    """`__Host-` binds the cookie to the host and to https (RFC 6265bis §4.1.3); plain http on loopback cannot have it."""
    return "__Host-sanpo" if city.settings.origin.startswith("https://") else "sanpo"


def safe_next(path: str | None, default: str = "/") -> str:
    """`path` if it stays on this site, else `default`."""
    return path if path and _OWN_PATH.fullmatch(path) else default


@get("/language/{lang:str}", sync_to_thread=False, include_in_schema=False)
def choose_language(lang: str, next: str = "/") -> Redirect:
    """Remembers the reader's language for a year."""
    redirect = Redirect(safe_next(next))
    if lang in ("ja", "en"):
        redirect.set_cookie(
            Cookie(key="lang", value=lang, max_age=365 * 86400, httponly=True, samesite="lax", path="/")
        )
    return redirect


@get("/health", sync_to_thread=True, include_in_schema=False)
def health(city: City) -> dict[str, str]:
    """Answers when the database does."""
    city.db.read("select 1")
    return {"status": "ok"}


def _city(state: State) -> City:
    found: City = state.city
    return found


async def _actor(request: Request[Any, Any, Any], state: State, city: City) -> Actor:
    # That it needs the city lets Litestar resolve the two one after the other: both at once would cost a group of tasks.
    cookie = request.cookies.get(state.session_cookie, "")
    scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
    bearer = bearer.strip() if scheme.lower() == "bearer" else ""
    if not bearer:
        await check_csrf(request, city.keys, cookie, city.settings.origin)
    loop = asyncio.get_running_loop()
    actor: Actor = await loop.run_in_executor(
        None, lambda: state.resolve_actor(city, cookie=cookie or None, bearer=bearer or None)
    )
    request.state.actor = actor
    return actor


async def _secure(message: Message, scope: Scope) -> None:
    """On whatever leaves, refusals and files included, which no hook on handlers would see."""
    if message["type"] == "http.response.start":
        headers = message["headers"] = list(message.get("headers", []))
        there = {name.lower() for name, _ in headers}
        headers += [header for header in _SECURITY_HEADERS if header[0] not in there]
        if b"cache-control" not in there and not scope["path"].startswith("/static/"):
            headers.append((b"cache-control", b"no-store"))


def _threads(count: int) -> Callable[[], Any]:
    async def start() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(count, thread_name_prefix="action"))

    return start


def _assets(static: Path) -> Callable[[str], str]:
    """Maps `app.js` to its hashed name from the bundle's manifest; a missing bundle gives the plain name."""
    manifest = static / "manifest.json"
    names: dict[str, str] = json.loads(manifest.read_text()) if manifest.is_file() else {}
    return lambda name: "/static/" + names.get(name, name)
