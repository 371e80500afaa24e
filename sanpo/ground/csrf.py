"""Protection against forged requests: a token derived from the session cookie, needed for every change made with it."""

import hashlib
import hmac
from typing import Any

from litestar import Request

from sanpo.ground.errors import DomainError, Kind
from sanpo.ground.keys import Keys

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class FormIsStale(DomainError):
    """A change came with a session cookie but without that session's token, or from another site."""

    code = "ground.form_is_stale"
    kind = Kind.REFUSED


def csrf_token(keys: Keys, cookie: str) -> str:
    """The token of the session whose cookie this is; empty where there is no session."""
    if not cookie:
        return ""
    return hmac.new(keys.secret("csrf"), cookie.encode(), hashlib.sha256).hexdigest()


async def check_csrf(request: Request[Any, Any, Any], keys: Keys, cookie: str, origin: str) -> None:
    """Raises `FormIsStale` where an unsafe request with a cookie lacks the token or names another origin."""
    if request.method in SAFE_METHODS:
        return
    sent_origin = request.headers.get("origin")
    if sent_origin and sent_origin not in (origin, f"http://{request.headers.get('host')}"):
        raise FormIsStale
    if not cookie:
        return
    given = request.headers.get("x-csrf-token") or await _from_form(request)
    if not hmac.compare_digest(given.encode(errors="replace"), csrf_token(keys, cookie).encode()):
        raise FormIsStale


async def _from_form(request: Request[Any, Any, Any]) -> str:
    kind = request.headers.get("content-type", "")
    if not kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        return ""
    return str((await request.form()).get("csrf_token", ""))
