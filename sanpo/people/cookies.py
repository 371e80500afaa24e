"""The session's cookie: never readable by a script, never sent along from another site's form."""

from litestar.datastructures import Cookie

from sanpo.ground.city import City
from sanpo.ground.web import session_cookie_name
from sanpo.people.model import NewSession


def session_cookie(city: City, session: NewSession) -> Cookie:
    """Sets the token of a session that began or changed, until the session's end."""
    return _cookie(city, session.token, max_age=int((session.expires_at - city.now()).total_seconds()))


def no_session_cookie(city: City) -> Cookie:
    """Takes the cookie back."""
    return _cookie(city, "", max_age=0)


def language_cookie(language: str) -> Cookie:
    """The reader's language for a year; `ground` reads it for every page."""
    return Cookie(key="lang", value=language, max_age=365 * 86400, httponly=True, samesite="lax")


def _cookie(city: City, value: str, *, max_age: int) -> Cookie:
    name = session_cookie_name(city)
    secure = name.startswith("__Host-")
    return Cookie(key=name, value=value, max_age=max_age, httponly=True, samesite="lax", secure=secure)
