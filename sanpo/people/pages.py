"""Pages of `people`: signing in and out, and what the city knows about me."""

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.datastructures import Cookie
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect

from sanpo.ground.actors import Actor, Resident, Staff, require
from sanpo.ground.city import City
from sanpo.ground.web import render, safe_next
from sanpo.people import actions, passkeys, sign_in
from sanpo.people.cookies import language_cookie, no_session_cookie, session_cookie
from sanpo.people.model import relying_party

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]
Web = Request[Any, Any, Any]
DONE = frozenset({"language", "passkey_added", "passkey_removed", "session_ended", "acting", "acting_ended"})


@get("/people/sign-in", sync_to_thread=True, include_in_schema=False)
def get_sign_in(request: Web, city: City, actor: Actor, next: str = "/") -> Response[str] | Redirect:
    """The way in. Whoever is in already goes on."""
    if isinstance(actor, Resident | Staff):
        return Redirect(safe_next(next))
    return render(
        request, "people/sign_in.html", next=safe_next(next), passkey_origin=_passkeys_elsewhere(request, city)
    )


@get("/people/link/{token:str}", sync_to_thread=True, include_in_schema=False)
def get_link(request: Web, city: City, actor: Actor, token: str) -> Response[str]:
    """Asks before the one-time link is used, so that a mail scanner or a preview does not use it up."""
    page = render(request, "people/link.html", token=token)
    # The address is a secret until it is used: what is opened from here learns the origin alone. Not `no-referrer`:
    # browsers then send `Origin: null` with the form, and the form is refused.
    page.headers["Referrer-Policy"] = "strict-origin"
    return page


@post("/people/link", sync_to_thread=True, include_in_schema=False)
def post_link(request: Web, city: City, actor: Actor, data: Form) -> Redirect:
    """Signs in and uses the link up. Who has no passkey yet, and can make one here, is offered to at once."""
    session = sign_in.sign_in_with_link(city, data.get("token", ""), instead_of=actor)
    offered = not session.has_passkey and _passkeys_elsewhere(request, city) is None
    return _go("/people/welcome" if offered else "/", session_cookie(city, session))


@get("/people/welcome", sync_to_thread=True, include_in_schema=False)
def get_welcome(request: Web, city: City, actor: Actor) -> Response[str] | Redirect:
    """Right after the first sign-in with a link: the first passkey. Whoever has one sees all of them instead."""
    who = actor if isinstance(actor, Staff) else require(actor, Resident)
    if passkeys.list_passkeys(city, who):
        return Redirect("/people/me")
    return render(
        request,
        "people/welcome.html",
        name=actions.name_of(city, who),
        passkey_origin=_passkeys_elsewhere(request, city),
    )


@post("/people/sign-out", sync_to_thread=True, include_in_schema=False)
def post_sign_out(city: City, actor: Actor) -> Redirect:
    """Ends the session."""
    sign_in.sign_out(city, actor)
    return _go("/", no_session_cookie(city))


@get("/people/me", sync_to_thread=True, include_in_schema=False)
def get_me_page(request: Web, city: City, actor: Actor, done: str = "") -> Response[str]:
    """What the city knows about me, how I sign in, and for whom I may act."""
    who = actor if isinstance(actor, Staff) else require(actor, Resident)
    for_self = isinstance(who, Staff) or who.acting_as == "self"
    return render(
        request,
        "people/me.html",
        me=actions.read_self(city, who) if isinstance(who, Resident) else None,
        name=actions.name_of(city, who),
        passkeys=passkeys.list_passkeys(city, who) if for_self else None,
        sessions=sign_in.list_sessions(city, who) if for_self else None,
        passkey_origin=_passkeys_elsewhere(request, city),
        done=done if done in DONE else "",
    )


@get("/people/me/export", sync_to_thread=True, include_in_schema=False)
def get_export(city: City, actor: Actor) -> Response[dict[str, Any]]:
    """The same as a file."""
    headers = {"Content-Disposition": 'attachment; filename="sanpo-people.json"', "Cache-Control": "no-store"}
    return Response(actions.export_self(city, actor), headers=headers)


@post("/people/me/language", sync_to_thread=True, include_in_schema=False)
def post_language(city: City, actor: Actor, data: Form) -> Redirect:
    """The language of pages and letters."""
    language = data.get("language", "")
    actions.choose_language(city, actor, language)  # type: ignore[arg-type]  # the action refuses any other
    return _go("/people/me?done=language", language_cookie(language))


@post("/people/me/passkeys/remove", sync_to_thread=True, include_in_schema=False)
def post_remove_passkey(city: City, actor: Actor, data: Form) -> Redirect:
    """Removes one of my passkeys."""
    passkeys.remove_passkey(city, actor, data.get("credential_id", ""))
    return _go("/people/me?done=passkey_removed")


@post("/people/me/sessions/end", sync_to_thread=True, include_in_schema=False)
def post_end_session(city: City, actor: Actor, data: Form) -> Redirect:
    """Ends one of my sessions, such as that of a lost phone."""
    sign_in.end_session(city, actor, data.get("session_id", ""))
    return _go("/people/me?done=session_ended")


@get("/people/act-for", sync_to_thread=True, include_in_schema=False)
def get_act_for(request: Web, city: City, actor: Actor) -> Response[str]:
    """For whom I may act."""
    who = require(actor, Resident)
    return render(
        request,
        "people/act_for.html",
        name=actions.name_of(city, who),
        represents=actions.read_self(city, who).represents if who.acting_as == "self" else [],
    )


@post("/people/act-for", sync_to_thread=True, include_in_schema=False)
def post_act_for(city: City, actor: Actor, data: Form) -> Redirect:
    """Turns to the person represented; without one, back to myself."""
    resident_id = data.get("resident_id") or None
    session = sign_in.act_for(city, actor, resident_id)
    done = "acting" if resident_id else "acting_ended"
    return _go(f"/people/me?done={done}", session_cookie(city, session))


def _passkeys_elsewhere(request: Web, city: City) -> str | None:
    """The address where passkeys work, where it is not the one that this page was asked at."""
    party = relying_party(city.settings.origin)
    return None if request.url.hostname == party.rp_id else party.origin


def _go(path: str, *cookies: Cookie) -> Redirect:
    return Redirect(path, status_code=303, cookies=list(cookies), headers={"Cache-Control": "no-store"})


handlers: list[Any] = [
    get_sign_in,
    get_link,
    post_link,
    get_welcome,
    post_sign_out,
    get_me_page,
    get_export,
    post_language,
    post_remove_passkey,
    post_end_session,
    get_act_for,
    post_act_for,
]
