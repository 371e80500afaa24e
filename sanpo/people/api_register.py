"""The register over HTTP: organisations, their staff and clients, and representatives. No resident is named."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

from litestar import delete, get, post, put
from msgspec import Meta

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.people import actions, organisations
from sanpo.people.model import ClientCredentials, NewOrganisation, Organisation

PATH = "/api/people"
Text = Annotated[str, Meta(min_length=1, max_length=200)]
Moment = Annotated[datetime, Meta(tz=True)]


@dataclass(frozen=True)
class OrganisationView:
    """The public entry of an organisation."""

    organisation_id: str
    name_ja: str
    name_en: str
    kind: Literal["city", "university", "company"]
    contact: str
    registered_at: datetime


@dataclass(frozen=True)
class OrganisationBody:
    """What is registered. `webhook_url` is told of withdrawals; without one the organisation polls."""

    name_ja: Text
    name_en: Text
    kind: Literal["city", "university", "company"]
    contact: Text
    webhook_url: Annotated[str, Meta(max_length=2000)] | None = None


@dataclass(frozen=True)
class WebhookBody:
    webhook_url: Annotated[str, Meta(max_length=2000)] | None


@dataclass(frozen=True)
class StaffBody:
    role: Literal["officer", "analyst"]
    name: Text
    email: Annotated[str, Meta(max_length=200)] | None = None


@dataclass(frozen=True)
class StaffView:
    staff_id: str


@dataclass(frozen=True)
class ClientBody:
    name: Text


@dataclass(frozen=True)
class ClientView:
    """A client without its secret, which nobody can read again."""

    client_id: str
    name: str
    created_at: datetime
    revoked_at: datetime | None
    has_secret: bool
    has_keys: bool


@dataclass(frozen=True)
class KeySetBody:
    """A JSON Web Key Set (RFC 7517 §5) of public keys."""

    keys: list[dict[str, Any]]


@dataclass(frozen=True)
class RepresentativeBody:
    """`representative_id` may act for `resident_id` from `valid_from` until, but not at, `valid_until`."""

    resident_id: str
    representative_id: str
    role: Literal["parent", "carer"]
    valid_from: Moment
    valid_until: Moment


@dataclass(frozen=True)
class RepresentationView:
    representation_no: int


@get(f"{PATH}/organisations", sync_to_thread=True, responses=problem_responses(401, 403))
def get_organisations(city: City, actor: Actor) -> list[OrganisationView]:
    """All registered organisations, oldest first. Public."""
    return [_view(organisation) for organisation in organisations.list_organisations(city, actor)]


@post(f"{PATH}/organisations", sync_to_thread=True, responses=problem_responses(401, 403))
def post_organisation(city: City, actor: Actor, data: OrganisationBody) -> OrganisationView:
    """Registers an organisation. For officers of the city."""
    new = NewOrganisation(data.name_ja, data.name_en, data.kind, data.contact, data.webhook_url)
    return _view(organisations.register_organisation(city, actor, new))


@put(
    f"{PATH}/organisations/{{organisation_id:str}}/webhook",
    sync_to_thread=True,
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def put_webhook(city: City, actor: Actor, organisation_id: str, data: WebhookBody) -> None:
    """Where the organisation hears of withdrawals; null if it polls. For its staff and officers of the city."""
    organisations.set_webhook(city, actor, organisation_id, data.webhook_url)


@post(
    f"{PATH}/organisations/{{organisation_id:str}}/staff",
    sync_to_thread=True,
    responses=problem_responses(401, 403, 404),
)
def post_staff(city: City, actor: Actor, organisation_id: str, data: StaffBody) -> StaffView:
    """Adds a person who works for the organisation. For officers of the city."""
    return StaffView(
        organisations.add_staff(city, actor, organisation_id, role=data.role, name=data.name, email=data.email)
    )


@delete(f"{PATH}/staff/{{staff_id:str}}", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def delete_staff(city: City, actor: Actor, staff_id: str) -> None:
    """The person has left; their sessions end. For officers of the city."""
    organisations.end_staff(city, actor, staff_id)


@get(
    f"{PATH}/organisations/{{organisation_id:str}}/clients",
    sync_to_thread=True,
    responses=problem_responses(401, 403, 404),
)
def get_clients(city: City, actor: Actor, organisation_id: str) -> list[ClientView]:
    """The organisation's clients. For its staff and officers of the city."""
    return [
        ClientView(row.client_id, row.name, row.created_at, row.revoked_at, row.has_secret, row.has_keys)
        for row in organisations.list_clients(city, actor, organisation_id)
    ]


@post(
    f"{PATH}/organisations/{{organisation_id:str}}/clients",
    sync_to_thread=True,
    responses=problem_responses(401, 403, 404),
)
def post_client(city: City, actor: Actor, organisation_id: str, data: ClientBody) -> ClientCredentials:
    """A new client; the secret is shown this once. For the organisation's staff and officers of the city."""
    return organisations.create_client(city, actor, organisation_id, name=data.name)


@put(
    f"{PATH}/clients/{{client_id:str}}/keys",
    sync_to_thread=True,
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def put_keys(city: City, actor: Actor, client_id: str, data: KeySetBody) -> None:
    """Public keys for `private_key_jwt`; the secret, if any, is given up."""
    organisations.set_client_keys(city, actor, client_id, {"keys": data.keys})


@post(f"{PATH}/clients/{{client_id:str}}/secret", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def post_secret(city: City, actor: Actor, client_id: str) -> ClientCredentials:
    """A new secret; the old one is refused at once."""
    return organisations.rotate_client_secret(city, actor, client_id)


@delete(f"{PATH}/clients/{{client_id:str}}", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def delete_client(city: City, actor: Actor, client_id: str) -> None:
    """The client and its tokens are refused from now on."""
    organisations.revoke_client(city, actor, client_id)


@post(f"{PATH}/representatives", sync_to_thread=True, responses=problem_responses(401, 403, 404, 409))
def post_representative(city: City, actor: Actor, data: RepresentativeBody) -> RepresentationView:
    """Lets a parent or carer act for a resident. For officers of the city, who have seen the papers."""
    return RepresentationView(
        actions.appoint_representative(
            city,
            actor,
            data.resident_id,
            representative_id=data.representative_id,
            role=data.role,
            valid_from=data.valid_from,
            valid_until=data.valid_until,
        )
    )


@delete(
    f"{PATH}/representatives/{{representation_no:int}}", sync_to_thread=True, responses=problem_responses(401, 403, 404)
)
def delete_representative(city: City, actor: Actor, representation_no: int) -> None:
    """Ends the term now. For officers of the city."""
    actions.end_representation(city, actor, representation_no)


def _view(organisation: Organisation) -> OrganisationView:
    return OrganisationView(
        organisation.organisation_id,
        organisation.name_ja,
        organisation.name_en,
        organisation.kind,
        organisation.contact,
        organisation.registered_at,
    )


handlers: list[Any] = [
    get_organisations,
    post_organisation,
    put_webhook,
    post_staff,
    delete_staff,
    get_clients,
    post_client,
    put_keys,
    post_secret,
    delete_client,
    post_representative,
    delete_representative,
]
