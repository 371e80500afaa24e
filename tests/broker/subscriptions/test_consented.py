"""A notification about residents is a use: under a grant at the moment of sending, veiled, and in the journal before."""

from dataclasses import replace
from typing import Any

import pytest

from sanpo.broker import attributes, entities
from sanpo.broker.contexts import CORE
from sanpo.broker.selection import Window
from sanpo.broker.subscriptions.actions import create_subscription, list_subscriptions, retrieve_subscription
from sanpo.broker.subscriptions.errors import SubscriptionNotFound
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.sending import notify_all
from sanpo.consent import Decision
from sanpo.ground.actors import Actor, Anonymous
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.people import create_client
from sanpo.people.organisations import revoke_client
from tests.broker.consented import COLOUR, ENERGY, OPERATOR, Town, build
from tests.broker.subscriptions.conftest import Receiver


@pytest.fixture
def town(city: City) -> Town:
    found = build(replace(city, settings=replace(city.settings, broker_allow_hosts="127.0.0.1")), 3)
    for number in range(3):
        found.add_meter(number, found.residents[number : number + 1], number)
    return found


def subscribe(town: Town, actor: Actor, receiver: Receiver, **members: Any) -> str:
    body = {
        "type": "Subscription",
        "entities": [{"type": "Meter"}],
        "notification": {"endpoint": {"uri": receiver.url}},
        **members,
    }
    return create_subscription(town.place(actor), body, CORE, None)


def measure(town: Town, number: int, value: Any, iri: str = ENERGY) -> None:
    place = town.place(OPERATOR)
    now = place.now()
    instance = {"type": "Property", "value": value, "createdAt": now, "modifiedAt": now}
    attributes.replace_attribute(place, f"urn:ngsi-ld:Meter:{number}", iri, [instance])


def pass_time(town: Town, seconds: float = 1) -> None:
    town.city.clock.advance(seconds=seconds)  # type: ignore[attr-defined]  # tests own the clock


def tell(town: Town) -> None:
    follow(town.city)
    pass_time(town)
    notify_all(town.city)


def test_only_granted_entities_are_told_veiled_and_in_the_journal(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh", "subject")
    town.world.give(agreement, town.residents[:2])
    subscribe(town, town.client(agreement), receiver)
    for number in range(3):
        measure(town, number, 100 + number)
    tell(town)
    assert [each["energy"]["value"] for each in receiver.data] == [100, 101]
    for each in receiver.data:
        assert each["id"].startswith("urn:sanpo:entity:")
        assert each["dataSubject"]["object"].startswith("urn:sanpo:subject:psn_")
        assert "colour" not in each
    (use,) = town.uses()  # one second, one entry
    assert (use["operation"], use["entities"], use["subjects"]) == ("notify", 2, 2)
    assert town.uses_of_each() == [1, 1, 0]


def test_withdrawal_between_change_and_notification_is_heeded(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents[:2])
    subscribe(town, town.client(agreement), receiver)
    for number in range(2):
        measure(town, number, 100 + number)
    follow(town.city)
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    tell(town)
    assert [each["energy"]["value"] for each in receiver.data] == [101]
    assert town.uses_of_each() == [0, 1, 0]


def test_withdrawal_between_attempts_is_heeded(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents[:1])
    subscribe(town, town.client(agreement), receiver)
    receiver.status = 500
    measure(town, 0, 100)
    tell(town)
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    receiver.status = 200
    pass_time(town, 10)
    notify_all(town.city)
    assert receiver.got == []
    assert len(town.uses()) == 1  # the attempt that failed may have been read


def test_retry_is_the_same_use(town: Town, receiver: Receiver) -> None:
    """Three attempts of one notification are one use; who has granted meanwhile has one of their own."""
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents[:1])
    subscribe(town, town.client(agreement), receiver)
    receiver.status = 500
    measure(town, 0, 100)
    measure(town, 1, 101)
    tell(town)
    assert [(use["entities"], use["subjects"]) for use in town.uses()] == [(1, 1)]
    pass_time(town, 10)
    notify_all(town.city)
    assert len(town.uses()) == 1
    town.world.give(agreement, town.residents[1:2])
    receiver.status = 200
    pass_time(town, 10)
    notify_all(town.city)
    assert [each["energy"]["value"] for each in receiver.data] == [100, 101]
    assert [(use["entities"], use["subjects"]) for use in town.uses()] == [(1, 1), (1, 1)]
    assert town.uses_of_each() == [1, 1, 0]


@pytest.mark.parametrize(
    "members",
    [{"watchedAttributes": ["colour"]}, {"q": 'colour=="blue"'}, {"notificationTrigger": ["attributeDeleted"]}],
)
def test_change_of_what_is_not_agreed_tells_nothing(town: Town, receiver: Receiver, members: dict[str, Any]) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    subscribe(town, town.client(agreement), receiver, **members)
    measure(town, 0, "blue", COLOUR)
    measure(town, 0, 100)
    attributes.delete_attribute(town.place(OPERATOR), "urn:ngsi-ld:Meter:1", COLOUR)
    tell(town)
    assert receiver.got == []
    assert town.uses() == []


def test_deletion_is_told_under_the_id_that_is_known(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    subscribe(town, town.client(agreement), receiver, notificationTrigger=["entityDeleted"])
    entities.delete_entity(town.place(OPERATOR), "urn:ngsi-ld:Meter:0")
    tell(town)
    assert receiver.data[0]["id"].startswith("urn:sanpo:entity:")
    assert "deletedAt" in receiver.data[0]


def test_time_interval_asks_for_sight_as_well(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents[:1])
    subscribe(town, town.client(agreement), receiver, timeInterval=5)
    pass_time(town, 5)
    notify_all(town.city)
    assert [each["energy"]["value"] for each in receiver.data] == [0]
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    pass_time(town, 5)
    notify_all(town.city)
    assert len(receiver.got) == 1


def test_others_are_told_nothing_personal(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    for actor in (OPERATOR, town.world.client(town.world.university), town.world.client(town.world.company, agreement)):
        subscribe(town, actor, receiver)
    measure(town, 0, 100)
    tell(town)
    assert receiver.got == []


def test_subscription_is_its_creators_alone(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    owner = town.client(agreement)
    found = subscribe(town, owner, receiver)
    assert retrieve_subscription(town.place(owner), found, CORE)["id"] == found
    for other in (OPERATOR, town.world.client(town.world.university), town.world.client(town.world.company)):
        with pytest.raises(SubscriptionNotFound):
            retrieve_subscription(town.place(other), found, CORE)
        assert list_subscriptions(town.place(other), CORE, Window(10)).docs == []
    with pytest.raises(NotPermitted):
        subscribe(town, town.residents[0], receiver)
    with pytest.raises(NotSignedIn):
        subscribe(town, Anonymous(), receiver)


def test_revoked_client_is_told_nothing_more(town: Town, receiver: Receiver) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    officer = town.world.officer
    made = create_client(town.city, officer, town.world.university.organisation_id, name="meter reader")
    client_id = made.client_id
    subscribe(town, replace(town.client(agreement), client_id=client_id), receiver)
    measure(town, 0, 100)
    tell(town)
    assert len(receiver.got) == 1
    revoke_client(town.city, officer, client_id)
    measure(town, 0, 101)
    tell(town)
    assert len(receiver.got) == 1
    assert len(town.uses()) == 1
