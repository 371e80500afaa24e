"""Organisations' programs: clients, their proofs (secret, `private_key_jwt`) and tokens, and who manages them."""

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwk, jws

from sanpo.ground.actors import Actor, Anonymous, Client, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import DomainError, InputIsInvalid, NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import new_id
from sanpo.people import (
    NewOrganisation,
    SecretProof,
    actor_of,
    add_staff,
    create_client,
    find_webhook,
    get_organisation,
    issue_token,
    register_organisation,
)
from sanpo.people.assertions import ALGORITHMS, check_key_set, claimed_client, verify_assertion
from sanpo.people.client_tokens import AssertionProof, IssuedToken
from sanpo.people.errors import (
    ClientIsNotAuthenticated,
    ClientKeysAreUnusable,
    OfficerServesTheCity,
    ScopeIsInvalid,
    TokenIsNotValid,
    TooManyAttempts,
)
from sanpo.people.model import ClientCredentials
from sanpo.people.organisations import (
    list_clients,
    list_organisations,
    revoke_client,
    rotate_client_secret,
    set_client_keys,
    set_webhook,
)
from sanpo.people.tokens import agreement_in_scope, new_token, scope_of
from tests.conftest import START
from tests.people.conftest import OPERATOR, Town

KEY = jwk.ECKey.generate_key("P-256", {"kid": "one"})
AUDIENCE = "http://testserver.local/oauth/token"


def public(*keys: Any) -> dict[str, Any]:
    return {"keys": [key.as_dict(private=False) for key in keys]}


def sign(claims: dict[str, Any], key: Any = KEY, alg: str = "ES256", **header: Any) -> str:
    return jws.serialize_compact({"alg": alg, "kid": "one"} | header, json.dumps(claims), key, algorithms=[alg])


def claims_of(client_id: str, **changes: Any) -> dict[str, Any]:
    now = int(START.timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": AUDIENCE, "exp": now + 60, "jti": new_token()} | changes
    return {name: value for name, value in claims.items() if value is not None}


def ask(city: City, made: ClientCredentials, **more: Any) -> IssuedToken:
    return issue_token(city, SecretProof(made.client_id, made.secret), **more)


@pytest.fixture
def made(town: Town) -> ClientCredentials:
    """A client of the company with its secret."""
    return create_client(town.city, town.staff(town.analyst_id), town.company.organisation_id, name="需要予測")


def test_secret_gives_a_token_that_names_client_and_agreement(town: Town, made: ClientCredentials) -> None:
    agreement_id = new_id("agr")
    issued = ask(town.city, made, scope=f"agreement:{agreement_id}")
    assert (issued.lifetime_s, issued.scope) == (3600, f"agreement:{agreement_id}")
    company = town.company
    assert actor_of(town.city, cookie=None, bearer=issued.token) == Client(
        made.client_id, company.organisation_id, company.organisation_no, agreement_id
    )
    plain = actor_of(town.city, cookie=None, bearer=ask(town.city, made).token)
    assert isinstance(plain, Client)
    assert plain.agreement_id is None


def test_wrong_secret_and_unknown_client_look_the_same(town: Town, made: ClientCredentials) -> None:
    """people.client_is_not_authenticated"""
    other = create_client(town.city, OPERATOR, town.university.organisation_id, name="研究")
    for client_id, secret in [
        (made.client_id, new_token()),
        (made.client_id, ""),
        (made.client_id, other.secret),
        (new_id("cli"), made.secret),
        ("", made.secret),
        ("\x00", made.secret),
    ]:
        with pytest.raises(ClientIsNotAuthenticated) as refused:
            issue_token(town.city, SecretProof(client_id, secret))
        assert refused.value.fields == {}


def test_expired_token_is_refused(town: Town, made: ClientCredentials, clock: FixedClock) -> None:
    token = ask(town.city, made).token
    clock.advance(seconds=3599)
    assert isinstance(actor_of(town.city, cookie=None, bearer=token), Client)
    clock.advance(seconds=1)
    with pytest.raises(TokenIsNotValid):
        actor_of(town.city, cookie=None, bearer=token)


def test_revoked_client_and_its_tokens_are_refused(town: Town, made: ClientCredentials) -> None:
    token = ask(town.city, made).token
    revoke_client(town.city, town.staff(town.analyst_id), made.client_id)
    with pytest.raises(TokenIsNotValid):
        actor_of(town.city, cookie=None, bearer=token)
    with pytest.raises(ClientIsNotAuthenticated):
        ask(town.city, made)
    listed = list_clients(town.city, town.staff(town.analyst_id), town.company.organisation_id)
    assert [(row.client_id, row.revoked_at) for row in listed] == [(made.client_id, START)]


def test_old_secret_is_refused_after_rotation(town: Town, made: ClientCredentials) -> None:
    new = rotate_client_secret(town.city, town.staff(town.analyst_id), made.client_id)
    with pytest.raises(ClientIsNotAuthenticated):
        ask(town.city, made)
    ask(town.city, new)


def test_client_waits_after_ten_failures(town: Town, made: ClientCredentials, clock: FixedClock) -> None:
    """people.too_many_attempts"""
    for _ in range(10):
        with pytest.raises(ClientIsNotAuthenticated):
            issue_token(town.city, SecretProof(made.client_id, "wrong"))
    clock.advance(seconds=20.5)
    with pytest.raises(TooManyAttempts) as refused:
        ask(town.city, made)
    assert refused.value.fields == {"retry_after_s": 40}
    clock.advance(seconds=39.5)
    ask(town.city, made)
    with pytest.raises(ClientIsNotAuthenticated):
        issue_token(town.city, SecretProof(made.client_id, "wrong"))
    ask(town.city, made)


def test_assertion_gives_a_token_once(town: Town, made: ClientCredentials) -> None:
    set_client_keys(town.city, town.staff(town.analyst_id), made.client_id, public(KEY))
    assertion = sign(claims_of(made.client_id))
    issued = issue_token(town.city, AssertionProof(assertion, made.client_id))
    assert isinstance(actor_of(town.city, cookie=None, bearer=issued.token), Client)
    with pytest.raises(ClientIsNotAuthenticated):
        issue_token(town.city, AssertionProof(assertion))
    issue_token(town.city, AssertionProof(sign(claims_of(made.client_id, aud=["http://testserver.local"]))))


def test_replayed_assertion_is_refused_as_long_as_it_would_be_valid(
    town: Town, made: ClientCredentials, clock: FixedClock
) -> None:
    from sanpo.people.upkeep import forget_expired

    set_client_keys(town.city, OPERATOR, made.client_id, public(KEY))
    assertion = sign(claims_of(made.client_id))
    issue_token(town.city, AssertionProof(assertion))
    for _ in range(9):
        clock.advance(seconds=10)
        forget_expired(town.city)
        with pytest.raises(ClientIsNotAuthenticated):
            issue_token(town.city, AssertionProof(assertion))


def test_assertion_of_another_client_is_refused(town: Town, made: ClientCredentials) -> None:
    other = create_client(town.city, OPERATOR, town.university.organisation_id, name="研究")
    set_client_keys(town.city, OPERATOR, made.client_id, public(KEY))
    set_client_keys(town.city, OPERATOR, other.client_id, public(jwk.ECKey.generate_key("P-256", {"kid": "one"})))
    for assertion, client_id in [
        (sign(claims_of(other.client_id)), None),
        (sign(claims_of(made.client_id)), other.client_id),
        (sign(claims_of(made.client_id, sub=other.client_id)), None),
    ]:
        with pytest.raises(ClientIsNotAuthenticated):
            issue_token(town.city, AssertionProof(assertion, client_id))


def test_keys_replace_the_secret(town: Town, made: ClientCredentials) -> None:
    set_client_keys(town.city, OPERATOR, made.client_id, public(KEY))
    with pytest.raises(ClientIsNotAuthenticated):
        ask(town.city, made)
    listed = list_clients(town.city, OPERATOR, town.company.organisation_id)
    assert [(row.has_keys, row.has_secret) for row in listed] == [(True, False)]


def verify(assertion: str, *, keys: dict[str, Any] | None = None) -> object:
    return verify_assertion(assertion, key_set=keys or public(KEY), client_id="cli_x", audiences=(AUDIENCE,), now=START)


NOW = int(START.timestamp())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://other.example/oauth/token"},
        {"aud": [AUDIENCE, "https://other.example"]},
        {"aud": None},
        {"aud": 7},
        {"iss": "cli_y"},
        {"sub": "cli_y"},
        {"exp": NOW - 31},
        {"exp": NOW + 3600},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"exp": float("nan")},
        {"nbf": NOW + 120},
        {"nbf": None, "jti": None},
        {"jti": ""},
        {"jti": "a" * 256},
        {"jti": 7},
    ],
    ids=str,
)
def test_assertion_is_refused_when_a_claim_is_wrong(changes: dict[str, Any]) -> None:
    verify(sign(claims_of("cli_x")))
    with pytest.raises(ClientIsNotAuthenticated):
        verify(sign(claims_of("cli_x", **changes)))


def test_assertion_without_signature_or_with_a_shared_key_is_refused() -> None:
    claims = claims_of("cli_x")
    header, payload, _ = sign(claims).split(".")
    none = jws.serialize_compact({"alg": "none"}, json.dumps(claims), None, algorithms=["none"])
    text = json.dumps(public(KEY)["keys"][0]).encode()
    shared = sign(claims, jwk.OctKey.import_key(text), "HS256")
    other = sign(claims, jwk.ECKey.generate_key("P-256", {"kid": "one"}))
    unknown_kid = sign(claims, kid="two")
    for forged in (none, f"{header}.{payload}.", shared, other, unknown_kid, "", "a.b.c", "[" * 9000):
        with pytest.raises(ClientIsNotAuthenticated):
            verify(forged, keys=public(KEY, jwk.ECKey.generate_key("P-256", {"kid": "three"})))


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_assertion_is_accepted_with_each_algorithm(alg: str) -> None:
    key: Any = {
        "ES256": lambda: KEY,
        "ES384": lambda: jwk.ECKey.generate_key("P-384", {"kid": "one"}),
        "Ed25519": lambda: jwk.OKPKey.generate_key("Ed25519", {"kid": "one"}),
    }.get(alg, lambda: jwk.RSAKey.generate_key(2048, {"kid": "one"}))()
    verify(sign(claims_of("cli_x"), key, alg), keys=check_key_set(public(key)))


@given(st.text(max_size=80) | st.from_regex(r"[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}\.[A-Za-z0-9_-]{0,40}"))
def test_nonsense_is_no_assertion_and_never_crashes(text: str) -> None:
    assert claimed_client(text) is None
    with pytest.raises(ClientIsNotAuthenticated):
        verify(text)


def test_assertion_name_may_be_any_text() -> None:
    verify(sign(claims_of("cli_x", jti="\ud800")))


def test_deep_nesting_is_no_assertion() -> None:
    deep = "[" * 6000
    assertion = jws.serialize_compact({"alg": "ES256", "kid": "one"}, deep, KEY, algorithms=["ES256"])
    assert claimed_client(assertion) is None
    with pytest.raises(ClientIsNotAuthenticated):
        verify(assertion)


EC = public(KEY)["keys"][0]


@pytest.mark.parametrize(
    "key_set",
    [
        None,
        {},
        {"keys": []},
        {"keys": [EC] * 9},
        {"keys": ["x"]},
        {"keys": [KEY.as_dict(private=True)]},
        {"keys": [{"kty": "oct", "k": "AAAA"}]},
        {"keys": [EC | {"crv": "secp256k1"}]},
        {"keys": [EC | {"x": "AAAA"}]},
        {"keys": [EC | {"x": 7}]},
        {"keys": [{"kty": "RSA"}]},
        {"keys": [jwk.RSAKey.generate_key(1024).as_dict(private=False)]},
        {"keys": [EC, EC]},
        {"keys": [EC, {name: EC[name] for name in ("kty", "crv", "x", "y")}]},
    ],
    # Keys are made anew in each worker process, so they cannot name their test.
    ids=range(14),
)
def test_keys_are_refused_when_they_cannot_verify(key_set: Any) -> None:
    """people.client_keys_are_unusable"""
    with pytest.raises(ClientKeysAreUnusable) as refused:
        check_key_set(key_set)
    assert refused.value.fields["problem"]


@pytest.mark.parametrize("scope", ["agreement", "agreement:", "agreement:agr_x", "openid", "agreement:agr_", " "])
def test_scope_is_refused_when_it_names_no_agreement(scope: str) -> None:
    """people.scope_is_invalid"""
    with pytest.raises(ScopeIsInvalid):
        agreement_in_scope(scope)


@given(st.builds(lambda: new_id("agr")))
def test_scope_of_an_agreement_reads_back_as_that_agreement(agreement_id: str) -> None:
    assert agreement_in_scope(scope_of(agreement_id)) == agreement_id
    assert agreement_in_scope(scope_of(None)) is None


def test_clients_of_another_organisation_are_not_found(town: Town, made: ClientCredentials) -> None:
    stranger = town.staff(town.researcher_id)
    city, organisation_id = town.city, town.company.organisation_id
    for attempt in (
        lambda: create_client(city, stranger, organisation_id, name="x"),
        lambda: list_clients(city, stranger, organisation_id),
        lambda: set_client_keys(city, stranger, made.client_id, public(KEY)),
        lambda: rotate_client_secret(city, stranger, made.client_id),
        lambda: revoke_client(city, stranger, made.client_id),
        lambda: rotate_client_secret(city, stranger, new_id("cli")),
        lambda: set_webhook(city, stranger, organisation_id, None),
    ):
        with pytest.raises(NotFound):
            attempt()
    ask(city, made)


def test_clients_are_not_managed_by_residents_programs_or_nobody(town: Town, made: ClientCredentials) -> None:
    program = actor_of(town.city, cookie=None, bearer=ask(town.city, made).token)
    actors: list[Actor] = [town.resident(town.hanako), program, Anonymous()]
    for actor in actors:
        with pytest.raises((NotPermitted, NotSignedIn)):
            rotate_client_secret(town.city, actor, made.client_id)
        with pytest.raises((NotPermitted, NotSignedIn)):
            register_organisation(town.city, actor, NewOrganisation("名", "n", "city", "c"))
        with pytest.raises((NotPermitted, NotSignedIn)):
            add_staff(town.city, actor, town.hall.organisation_id, role="officer", name="x")


def test_officer_registers_organisations_and_staff(town: Town) -> None:
    officer = town.staff(town.officer_id)
    hook = "https://power.example/hook"
    made = register_organisation(town.city, officer, NewOrganisation("新電力", "New Power", "company", "tel:1", hook))
    assert [organisation.name("ja") for organisation in list_organisations(town.city, Anonymous())][-1] == "新電力"
    add_staff(town.city, officer, made.organisation_id, role="analyst", name="新田")
    set_webhook(town.city, officer, made.organisation_id, None)
    with town.city.transaction(System("jobs")) as tx:
        assert get_organisation(tx, made.organisation_id).webhook_url is None
        assert find_webhook(tx, made.organisation_no) is None
        assert find_webhook(tx, 999) is None


def test_officer_serves_the_city_only(town: Town) -> None:
    """people.officer_serves_the_city"""
    with pytest.raises(OfficerServesTheCity):
        add_staff(town.city, OPERATOR, town.company.organisation_id, role="officer", name="偽 係長")


def test_organisation_is_refused_when_a_field_is_invalid(town: Town) -> None:
    good: dict[str, Any] = {"name_ja": "名", "name_en": "n", "kind": "company", "contact": "c", "webhook_url": None}
    for changes in (
        {"name_ja": ""},
        {"contact": "a\x00"},
        {"webhook_url": "ftp://x"},
        {"webhook_url": "http://x"},
        {"webhook_url": "https://"},
        {"webhook_url": "https://user:pw@x/"},
        {"webhook_url": "https://x/\x00"},
        {"webhook_url": "https://[x"},
    ):
        with pytest.raises(InputIsInvalid):
            register_organisation(town.city, OPERATOR, NewOrganisation(**good | changes))


def test_names_of_staff_and_clients_are_checked(town: Town) -> None:
    for name in ("", " ", "a" * 201, "a\x00"):
        with pytest.raises(DomainError):
            add_staff(town.city, OPERATOR, town.company.organisation_id, role="analyst", name=name)
        with pytest.raises(DomainError):
            create_client(town.city, OPERATOR, town.company.organisation_id, name=name)


def test_token_outlives_neither_its_hour_nor_a_month_in_the_table(
    town: Town, made: ClientCredentials, clock: FixedClock
) -> None:
    from sanpo.people.upkeep import forget_expired

    ask(town.city, made)
    clock.advance(seconds=timedelta(days=31, hours=2).total_seconds())
    forget_expired(town.city)
    with town.city.transaction(System("sign_in")) as tx:
        assert tx.all("select * from people.tokens where client_id = %(id)s", id=made.client_id) == []
