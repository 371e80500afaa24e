"""Passkeys, with an authenticator in software: the two ceremonies and what an attacker would try."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.ground.actors import Anonymous, Resident, Staff
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import InputIsInvalid, NotFound, NotSignedIn
from sanpo.people import actor_of
from sanpo.people.errors import (
    ActsForAnother,
    LastPasskeyStays,
    PasskeyIsNotAccepted,
    PasskeyWasNotAdded,
    TooManyAttempts,
)
from sanpo.people.model import relying_party
from sanpo.people.organisations import end_staff
from sanpo.people.passkeys import (
    begin_authentication,
    begin_registration,
    finish_authentication,
    finish_registration,
    list_passkeys,
    remove_passkey,
)
from tests.people.authenticator import Authenticator, b64
from tests.people.conftest import Town


def enrol(town: Town, device: Authenticator, actor: Resident | Staff | None = None) -> None:
    """The device's key becomes the actor's passkey; Hanako's, where nobody is named."""
    actor = actor or town.resident(town.hanako)
    finish_registration(town.city, actor, device.create(begin_registration(town.city, actor, "電話")))


def sign_in(town: Town, device: Authenticator, **changes: Any) -> Resident | Staff:
    session = finish_authentication(town.city, device.get(begin_authentication(town.city), **changes))
    actor = actor_of(town.city, cookie=session.token, bearer=None)
    assert isinstance(actor, Resident | Staff)
    return actor


def test_passkey_signs_its_holder_in_again_and_again(town: Town, device: Authenticator) -> None:
    enrol(town, device)
    for _ in range(2):
        actor = sign_in(town, device)
        assert isinstance(actor, Resident)
        assert actor.resident_id == town.hanako.resident_id
    key = list_passkeys(town.city, actor)[0]
    assert (key.label, key.last_used_at) == ("電話", town.city.now())


def test_passkey_signs_staff_in_until_they_leave(town: Town, device: Authenticator) -> None:
    enrol(town, device, town.staff(town.officer_id))
    actor = sign_in(town, device)
    assert isinstance(actor, Staff)
    assert actor.staff_id == town.officer_id
    end_staff(town.city, actor, town.officer_id)
    with pytest.raises(PasskeyIsNotAccepted):
        sign_in(town, device)


def test_passkey_that_does_not_count_signs_in(town: Town, device: Authenticator) -> None:
    device.counts = False  # as synchronised passkeys of phones do
    enrol(town, device)
    sign_in(town, device)
    sign_in(town, device)


def test_options_ask_for_a_discoverable_key_and_a_verified_person(town: Town) -> None:
    options = begin_registration(town.city, town.resident(town.hanako), "電話")
    assert options["rp"]["id"] == "testserver.local"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["user"]["name"] == "佐藤 花子"
    asked = begin_authentication(town.city)
    assert asked["userVerification"] == "required"
    assert not asked.get("allowCredentials")


Spoil = Callable[[Town, Authenticator], None]


def wrong_origin(town: Town, device: Authenticator) -> None:
    device.origin = "https://testserver.local.evil.example"


def wrong_site(town: Town, device: Authenticator) -> None:
    device.rp_id = "evil.example"


def nobody_verified(town: Town, device: Authenticator) -> None:
    device.verified = False


def other_key(town: Town, device: Authenticator) -> None:
    device.key = Authenticator("", "").key


def cloned_key(town: Town, device: Authenticator) -> None:
    device.sign_count = 0


def other_handle(town: Town, device: Authenticator) -> None:
    device.user_handle = town.taro.resident_id.encode()


def unknown_key(town: Town, device: Authenticator) -> None:
    device.credential_id = b"unknown"


def test_passkey_is_not_accepted_when_anything_is_wrong(town: Town, device: Authenticator) -> None:
    """people.passkey_is_not_accepted: wrong origin, other site, nobody verified, other key, clone, other person."""
    enrol(town, device)
    sign_in(town, device)
    honest = dict(vars(device))
    spoils: list[Spoil] = [
        wrong_origin,
        wrong_site,
        nobody_verified,
        other_key,
        cloned_key,
        other_handle,
        unknown_key,
    ]
    for spoil in spoils:
        spoil(town, device)
        with pytest.raises(PasskeyIsNotAccepted):
            sign_in(town, device)
        vars(device).update(honest | {"sign_count": device.sign_count + 10})
    sign_in(town, device)


def test_passkey_was_not_added_when_anything_is_wrong(town: Town, device: Authenticator) -> None:
    """people.passkey_was_not_added"""
    for spoil in (wrong_origin, wrong_site, nobody_verified):
        honest = dict(vars(device))
        spoil(town, device)
        with pytest.raises(PasskeyWasNotAdded):
            enrol(town, device)
        vars(device).update(honest)
    enrol(town, device)
    with pytest.raises(PasskeyWasNotAdded):
        enrol(town, device, town.resident(town.taro))
    assert len(list_passkeys(town.city, town.resident(town.hanako))) == 1


def test_replayed_challenge_is_refused(town: Town, device: Authenticator) -> None:
    device.counts = False  # so that only the challenge can tell the replay
    enrol(town, device)
    answer = device.get(begin_authentication(town.city))
    finish_authentication(town.city, answer)
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, answer)


def test_challenge_is_used_up_by_a_failure(town: Town, device: Authenticator) -> None:
    enrol(town, device)
    options = begin_authentication(town.city)
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, device.get(options, signature=b64(b"0" * 70)))
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, device.get(options))


def test_late_or_foreign_challenge_is_refused(town: Town, device: Authenticator, clock: FixedClock) -> None:
    enrol(town, device)
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, device.get({"challenge": b64(b"made up" * 8)}))
    options = begin_authentication(town.city)
    clock.advance(minutes=5)
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, device.get(options))


def test_challenge_of_one_ceremony_does_not_serve_the_other(town: Town, device: Authenticator) -> None:
    enrol(town, device)
    for_new_key = begin_registration(town.city, town.resident(town.hanako), "")
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, device.get(for_new_key))
    for_sign_in = begin_authentication(town.city)
    new = Authenticator(device.origin, device.rp_id)
    with pytest.raises(PasskeyWasNotAdded):
        finish_registration(town.city, town.resident(town.hanako), new.create(for_new_key | for_sign_in))


def test_challenge_of_one_person_does_not_add_a_key_to_another(town: Town, device: Authenticator) -> None:
    options = begin_registration(town.city, town.resident(town.hanako), "")
    with pytest.raises(PasskeyWasNotAdded):
        finish_registration(town.city, town.resident(town.taro), device.create(options))


def test_representative_does_not_add_a_passkey_to_the_person(town: Town, device: Authenticator) -> None:
    town.appoint()
    _, actor = town.acting()
    with pytest.raises(ActsForAnother):
        begin_registration(town.city, actor, "")
    options = begin_registration(town.city, town.resident(town.hanako), "")
    with pytest.raises(ActsForAnother):
        finish_registration(town.city, actor, device.create(options))
    with pytest.raises(ActsForAnother):
        remove_passkey(town.city, actor, b64(device.credential_id))


def test_passkey_is_added_by_the_signed_in_only_with_a_short_label(town: Town) -> None:
    with pytest.raises(NotSignedIn):
        begin_registration(town.city, Anonymous(), "")
    for label in ("a" * 61, "a\x00"):
        with pytest.raises(InputIsInvalid):
            begin_registration(town.city, town.resident(town.hanako), label)


def test_last_passkey_stays_and_others_go(town: Town, device: Authenticator) -> None:
    """people.last_passkey_stays"""
    enrol(town, device)
    hanako = town.resident(town.hanako)
    with pytest.raises(LastPasskeyStays):
        remove_passkey(town.city, hanako, b64(device.credential_id))
    second = Authenticator(device.origin, device.rp_id)
    enrol(town, second)
    for guessed in (b64(b"x"), "!", ""):
        with pytest.raises(NotFound):
            remove_passkey(town.city, hanako, guessed)
    with pytest.raises(NotFound):
        remove_passkey(town.city, town.resident(town.taro), b64(device.credential_id))
    remove_passkey(town.city, hanako, b64(device.credential_id))
    with pytest.raises(PasskeyIsNotAccepted):
        sign_in(town, device)
    sign_in(town, second)


def test_passkey_waits_after_ten_failures(town: Town, device: Authenticator, clock: FixedClock) -> None:
    """people.too_many_attempts"""
    enrol(town, device)
    for _ in range(10):
        with pytest.raises(PasskeyIsNotAccepted):
            sign_in(town, device, signature=b64(b"0" * 70))
    with pytest.raises(TooManyAttempts) as refused:
        sign_in(town, device)
    assert refused.value.fields == {"retry_after_s": 60}
    clock.advance(seconds=60)
    sign_in(town, device)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


nonsense = json_values | st.binary(max_size=60).map(b64)
outer = st.dictionaries(st.sampled_from(["id", "rawId", "type"]), json_values, max_size=1)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(["clientDataJSON", "authenticatorData", "signature"]), nonsense, min_size=1), outer
)
def test_nonsense_never_signs_in_and_never_crashes(
    town: Town, device: Authenticator, clock: FixedClock, changed: dict[str, Any], around: dict[str, Any]
) -> None:
    if not device.user_handle:
        enrol(town, device)
    clock.advance(seconds=60)
    answer = device.get(begin_authentication(town.city), **changed)
    with pytest.raises(PasskeyIsNotAccepted):
        finish_authentication(town.city, answer | around)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.sampled_from(["clientDataJSON", "attestationObject"]), nonsense, min_size=1), outer)
def test_nonsense_is_never_added_and_never_crashes(
    town: Town, device: Authenticator, changed: dict[str, Any], around: dict[str, Any]
) -> None:
    hanako = town.resident(town.hanako)
    answer = device.create(begin_registration(town.city, hanako, ""))
    with pytest.raises(PasskeyWasNotAdded):
        finish_registration(town.city, hanako, answer | around | {"response": answer["response"] | changed})


@pytest.mark.parametrize(
    ("origin", "rp_id", "page"),
    [
        ("https://sanpo.example", "sanpo.example", "https://sanpo.example"),
        ("https://city.example:8443", "city.example", "https://city.example:8443"),
        ("http://127.0.0.1:8000", "localhost", "http://localhost:8000"),
        ("http://[::1]", "localhost", "http://localhost"),
    ],
)
def test_relying_party_is_the_domain_and_localhost_stands_for_loopback(origin: str, rp_id: str, page: str) -> None:
    party = relying_party(origin)
    assert (party.rp_id, party.origin) == (rp_id, page)
