"""Sign-in for scripts of the pages: who I am, and the two passkey ceremonies as JSON."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from litestar import Response, get, post
from litestar.params import Parameter
from msgspec import Meta

from sanpo.ground.actors import Actor, Client, Resident, Staff
from sanpo.ground.city import City
from sanpo.ground.errors import NotSignedIn
from sanpo.ground.problems import problem_responses
from sanpo.ground.web import safe_next
from sanpo.people import passkeys
from sanpo.people.actions import name_of
from sanpo.people.cookies import session_cookie

PATH = "/api/people"
Next = Annotated[str | None, Parameter(description="A path of this site to go to afterwards.")]


@dataclass(frozen=True)
class MeView:
    """Who the request comes from. `acting_for` is the resident represented, where there is one."""

    kind: Literal["resident", "staff", "client"]
    id: str
    name: str | None = None
    organisation_id: str | None = None
    agreement_id: str | None = None
    acting_as: str | None = None
    acting_for: str | None = None


@dataclass(frozen=True)
class Label:
    """What the holder calls the new passkey."""

    label: Annotated[str, Meta(max_length=60)] = ""


@dataclass(frozen=True)
class Credential:
    """What `navigator.credentials` gave (W3C WebAuthn §5.1: PublicKeyCredential as JSON)."""

    id: str
    rawId: str  # noqa: N815
    type: str
    response: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        return {"id": self.id, "rawId": self.rawId, "type": self.type, "response": self.response}


@dataclass(frozen=True)
class GoTo:
    """Where the page goes next."""

    redirect: str


@get(f"{PATH}/me", sync_to_thread=True, responses=problem_responses(401))
def get_me(city: City, actor: Actor) -> MeView:
    """Who I am, as resident, staff or client."""
    if isinstance(actor, Client):
        return MeView("client", actor.client_id, None, actor.organisation_id, actor.agreement_id)
    if isinstance(actor, Staff):
        return MeView("staff", actor.staff_id, name_of(city, actor), actor.organisation_id)
    if isinstance(actor, Resident):
        acting_for = actor.resident_id if actor.acting_as != "self" else None
        return MeView(
            "resident",
            actor.acting_resident_id,
            name_of(city, actor),
            acting_as=actor.acting_as,
            acting_for=acting_for,
        )
    raise NotSignedIn


@post(
    f"{PATH}/passkeys/registration/options",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403),
)
def post_registration_options(city: City, actor: Actor, data: Label) -> dict[str, Any]:
    """Options for `navigator.credentials.create()`: the challenge serves once, for five minutes."""
    return passkeys.begin_registration(city, actor, data.label)


@post(f"{PATH}/passkeys/registration", sync_to_thread=True, status_code=200, responses=problem_responses(401, 403))
def post_registration(city: City, actor: Actor, data: Credential) -> GoTo:
    """Keeps the new passkey of the person signed in."""
    passkeys.finish_registration(city, actor, data.as_dict())
    return GoTo("/people/me?done=passkey_added")


@post(
    f"{PATH}/passkeys/authentication/options",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403),
)
def post_authentication_options(city: City, actor: Actor) -> dict[str, Any]:
    """Options for `navigator.credentials.get()`: the challenge serves once, for five minutes."""
    return passkeys.begin_authentication(city)


@post(
    f"{PATH}/passkeys/authentication",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403, 429),
)
def post_authentication(city: City, actor: Actor, data: Credential, next: Next = None) -> Response[GoTo]:
    """Signs the passkey's holder in: the session comes as a cookie."""
    session = passkeys.finish_authentication(city, data.as_dict(), instead_of=actor)
    return Response(
        GoTo(safe_next(next)), cookies=[session_cookie(city, session)], headers={"Cache-Control": "no-store"}
    )


handlers: list[Any] = [
    get_me,
    post_registration_options,
    post_registration,
    post_authentication_options,
    post_authentication,
]
