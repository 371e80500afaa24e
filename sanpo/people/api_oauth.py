"""The token endpoint (RFC 6749 §3.2, at a fixed address) and what it can do (RFC 8414)."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

from litestar import Request, Response, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import OpenAPIMediaType, OpenAPIType, Operation, Reference, RequestBody, Schema

from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.problems import problem_responses
from sanpo.people.assertions import ALGORITHMS, ASSERTION_TYPE
from sanpo.people.client_tokens import AssertionProof, Proof, SecretProof, issue_token, token_endpoint
from sanpo.people.errors import (
    ClientIsNotAuthenticated,
    GrantTypeIsUnsupported,
    ScopeIsInvalid,
    TokenRequestIsInvalid,
)

FORM = "application/x-www-form-urlencoded"
_MOST_BODY_BYTES = 16 * 1024
_FIELDS = ("grant_type", "scope", "client_id", "client_secret", "client_assertion_type", "client_assertion")
_OAUTH_ERRORS: dict[type[DomainError], str] = {
    ClientIsNotAuthenticated: "invalid_client",
    GrantTypeIsUnsupported: "unsupported_grant_type",
    ScopeIsInvalid: "invalid_scope",
    TokenRequestIsInvalid: "invalid_request",
}


@dataclass(frozen=True)
class TokenAnswer:
    """RFC 6749 §5.1."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str | None = None


@dataclass(frozen=True)
class TokenProblem:
    """RFC 6749 §5.2; `temporarily_unavailable` with 429 and 503, where Retry-After says when to come back."""

    error: str
    error_description: str


@dataclass(frozen=True)
class ServerMetadata:
    """RFC 8414 §2."""

    issuer: str
    token_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]


@dataclass
class TokenOperation(Operation):
    """Tells OpenAPI of the form that the handler reads from the raw body."""

    def __post_init__(self) -> None:
        properties: dict[str, Reference | Schema] = {name: Schema(type=OpenAPIType.STRING) for name in _FIELDS}
        properties["grant_type"] = Schema(type=OpenAPIType.STRING, enum=["client_credentials"])
        schema = Schema(type=OpenAPIType.OBJECT, properties=properties, required=["grant_type"])
        self.request_body = RequestBody(content={FORM: OpenAPIMediaType(schema=schema)}, required=True)


def on_token_problem(request: Request[Any, Any, Any], error: DomainError) -> Response[TokenProblem]:
    """The error as an OAuth client understands it. Descriptions are ASCII, as §5.2 demands."""
    status = error.surface.status
    text = request.app.state.city.words.text("en", f"error.{error.code}", **error.fields)
    headers = {"Cache-Control": "no-store"}
    if status == 401:
        headers["WWW-Authenticate"] = 'Basic realm="sanpo"'
    if status in (429, 503):
        headers["Retry-After"] = str(error.fields.get("retry_after_s", 1))
    body = TokenProblem(_OAUTH_ERRORS.get(type(error), "temporarily_unavailable"), text)
    return Response(body, status_code=status, headers=headers)


def _problem(description: str) -> ResponseSpec:
    return ResponseSpec(data_container=TokenProblem, description=description)


@post(
    "/oauth/token",
    sync_to_thread=True,
    status_code=200,
    operation_class=TokenOperation,
    exception_handlers={DomainError: on_token_problem},
    responses={
        413: problem_responses()[413],
        400: _problem("The request is malformed, or asks for what is not offered."),
        401: _problem("The client did not prove itself."),
        429: _problem("Too many failures in a row; see Retry-After."),
        503: _problem("Temporarily unavailable; nothing was changed."),
    },
)
def post_token(request: Request[Any, Any, Any], city: City, body: bytes) -> Response[TokenAnswer]:
    """An access token for a client of an organisation (RFC 6749 §4.4). `scope=agreement:agr_…` names the agreement."""
    form = read_form(request.headers.get("content-type", ""), body)
    if form.get("grant_type") is None:
        raise TokenRequestIsInvalid(problem="grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise GrantTypeIsUnsupported
    issued = issue_token(city, read_proof(request.headers.get("authorization"), form), scope=form.get("scope"))
    answer = TokenAnswer(issued.token, "Bearer", issued.lifetime_s, issued.scope)
    return Response(answer, headers={"Cache-Control": "no-store", "Pragma": "no-cache"})


@get("/.well-known/oauth-authorization-server", sync_to_thread=False)
def get_metadata(city: City) -> ServerMetadata:
    """What the token endpoint offers (RFC 8414)."""
    origin = city.settings.origin
    return ServerMetadata(
        issuer=origin,
        token_endpoint=token_endpoint(origin),
        grant_types_supported=["client_credentials"],
        response_types_supported=[],
        token_endpoint_auth_methods_supported=["client_secret_basic", "client_secret_post", "private_key_jwt"],
        token_endpoint_auth_signing_alg_values_supported=list(ALGORITHMS),
    )


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The fields that we know of; an empty one counts as absent, a repeated one is refused (RFC 6749 §3.2)."""
    if content_type.partition(";")[0].strip().lower() != FORM or len(body) > _MOST_BODY_BYTES:
        raise TokenRequestIsInvalid(problem=f"the body must be {FORM} of at most 16 kB")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=50)
    except ValueError:
        raise TokenRequestIsInvalid(problem="the form cannot be read") from None
    known = [(name, value) for name, value in pairs if name in _FIELDS]
    if len({name for name, _ in known}) < len(known):
        raise TokenRequestIsInvalid(problem="a field is given twice")
    return {name: value for name, value in known if value}


def read_proof(authorization: str | None, form: dict[str, str]) -> Proof:
    """The one proof of identity in the request; none or several are refused (RFC 6749 §2.3)."""
    proofs: list[Proof] = []
    if authorization is not None:
        proofs.append(_from_basic(authorization))
    if "client_secret" in form:
        proofs.append(SecretProof(form.get("client_id", ""), form["client_secret"]))
    if "client_assertion" in form:
        if form.get("client_assertion_type") != ASSERTION_TYPE:
            raise TokenRequestIsInvalid(problem=f"client_assertion_type must be {ASSERTION_TYPE}")
        proofs.append(AssertionProof(form["client_assertion"], form.get("client_id")))
    if len(proofs) > 1:
        raise TokenRequestIsInvalid(problem="the client proves itself in two ways at once")
    if not proofs:
        raise ClientIsNotAuthenticated
    proof = proofs[0]
    if isinstance(proof, SecretProof) and form.get("client_id", proof.client_id) != proof.client_id:
        raise TokenRequestIsInvalid(problem="two different client_id")
    return proof


def _from_basic(authorization: str) -> SecretProof:
    scheme, _, value = authorization.partition(" ")
    try:
        text = base64.b64decode(value.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        raise ClientIsNotAuthenticated from None
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not colon:
        raise ClientIsNotAuthenticated
    return SecretProof(unquote_plus(client_id), unquote_plus(secret))


handlers: list[Any] = [post_token, get_metadata]
