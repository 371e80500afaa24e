"""Whatever happens to registrations: who follows the notifications knows exactly what matches, and each reason is true."""

import random
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions as registrations
from sanpo.broker.registrations.errors import RegistrationExists, RegistrationNotFound
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.city import City
from tests.broker.conformance.test_source_subscriptions import at, subscribe
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_sending import pass_time

TYPES, NAMES = "ABC", ("speed", "height")
FOLLOWED: list[dict[str, Any]] = [
    {"entities": [{"type": "A"}]},
    {"entities": [{"type": "B"}, {"type": "C"}], "watchedAttributes": ["speed"]},
    {"entities": [{"type": "A|B"}], "throttling": 7},
    {"entities": [{"type": "C"}], "timeInterval": 5},
]


class Follower:
    """Knows of one subscription what its notifications have told, and nothing else."""

    def __init__(self) -> None:
        self.known: set[str] = set()

    def hear(self, notification: Any) -> None:
        told = {each["id"] for each in notification["data"]}
        assert told
        match notification["triggerReason"]:
            case "newlyMatching":
                assert not told & self.known
                self.known |= told
            case "updated":
                assert told <= self.known
            case "noLongerMatching":
                assert told <= self.known
                self.known -= told


def happen(chance: random.Random, place: Place, city: City) -> None:
    """One thing that may happen to one of eight registrations."""
    registration_id = f"urn:csr:{chance.randrange(8)}"
    changes: dict[str, Any] = {"information": [information(chance) for _ in range(chance.randint(1, 2))]}
    if chance.random() < 0.3:
        changes["expiresAt"] = at(city, chance.randint(1, 12))
    try:
        match chance.choice(("register", "register", "update", "update", "touch", "delete")):
            case "register":
                whole = {"id": registration_id, "type": "ContextSourceRegistration", "endpoint": "http://s.example"}
                registrations.register(place, {**whole, **changes}, CORE)
            case "update":
                registrations.update(place, registration_id, changes, CORE)
            case "touch":
                registrations.update(place, registration_id, {"registrationName": str(chance.random())}, CORE)
            case "delete":
                registrations.delete(place, registration_id)
    except (RegistrationExists, RegistrationNotFound):
        pass


def information(chance: random.Random) -> dict[str, Any]:
    found: dict[str, Any] = {"entities": [{"type": chance.choice(TYPES)}]}
    if chance.random() < 0.5:
        found["propertyNames"] = [chance.choice(NAMES)]
    return found


def matching(broker: TestClient[Any], followed: dict[str, Any]) -> set[str]:
    """What a query finds now (§5.10.2)."""
    types = "|".join(each["type"] for each in followed["entities"])
    attrs = ",".join(followed.get("watchedAttributes", ()))
    found = broker.get("/csourceRegistrations", params={"type": types, **({"attrs": attrs} if attrs else {})}).json()
    return {each["id"] for each in found}


@pytest.mark.parametrize("seed", range(4))
def test_followers_know_what_matches(broker: TestClient[Any], receiver: Receiver, open_city: City, seed: int) -> None:
    chance, place = random.Random(seed), Place(open_city, OPEN)
    followers = {subscribe(broker, receiver, **each).rpartition("/")[2]: (Follower(), each) for each in FOLLOWED}
    heard = 0
    for _ in range(6):
        for _ in range(chance.randint(1, 10)):
            happen(chance, place, open_city)
            pass_time(open_city, chance.choice((0, 0, 1, 3)))
            if chance.random() < 0.3:
                notify_all(open_city)
        for _ in range(4):  # long enough for every pace, and for every end
            pass_time(open_city, 8)
            notify_all(open_city)
        for notification in receiver.got[heard:]:
            followers[notification["subscriptionId"]][0].hear(notification)
        heard = len(receiver.got)
        for follower, followed in followers.values():
            assert follower.known == matching(broker, followed)
    assert heard > 30
