"""Subscriptions over HTTP (ETSI GS CIM 009 §5.8.1 to §5.8.5): a table of what is refused, and what is read back."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts import CORE
from sanpo.broker.entities import Place
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions.actions import create_subscription
from sanpo.broker.subscriptions.errors import SubscriptionExists, SubscriptionIsInvalid
from sanpo.ground.city import City

ENDPOINT = {"uri": "http://receiver.example/notify", "accept": "application/json"}
BASE: dict[str, Any] = {
    "id": "urn:ngsi-ld:Subscription:1",
    "type": "Subscription",
    "entities": [{"type": "Building"}],
    "notification": {"endpoint": ENDPOINT},
}
PATH = "/subscriptions/urn:ngsi-ld:Subscription:1"


def create(broker: TestClient[Any], **members: Any) -> Any:
    return broker.post("/subscriptions", json={**BASE, **members})


def test_subscription_is_read_back_as_it_was_written(broker: TestClient[Any]) -> None:
    members = {
        "subscriptionName": "n",
        "description": "d",
        "entities": [{"type": "Building,Tower", "idPattern": "urn:.*"}, {"type": "Shop", "id": "urn:a:1"}],
        "watchedAttributes": ["name"],
        "notificationTrigger": ["entityCreated"],
        "q": 'height>20;name=="x"',
        "geoQ": {"georel": "near;maxDistance==100", "geometry": "Point", "coordinates": [1, 2]},
        "scopeQ": "/a/#",
        "lang": "en",
        "throttling": 5,
        "expiresAt": "2030-01-01T00:00:00Z",
        "notification": {"pick": ["id", "name"], "format": "keyValues", "sysAttrs": True, "endpoint": ENDPOINT},
    }
    made = create(broker, **members)
    assert made.status_code == 201
    assert made.headers["location"] == f"/ngsi-ld/v1{PATH}"
    found = broker.get(PATH).json()
    types = found["entities"][0].pop("type")
    assert "Building" in types
    assert "Tower" in types
    assert "://" not in types
    assert found["geoQ"].pop("geoproperty") == "location"
    del members["entities"][0]["type"]  # type: ignore[index]  # its alternatives have no order
    assert found == {**BASE, **members, "status": "active"}


def test_default_trigger_and_system_attributes_are_shown(broker: TestClient[Any]) -> None:
    create(broker)
    found = broker.get(f"{PATH}?options=sysAttrs").json()
    assert found["notificationTrigger"] == ["attributeCreated", "attributeUpdated"]
    assert found["createdAt"] == found["modifiedAt"] == "2026-04-01T00:00:00Z"


def test_id_is_made_where_none_is_given(broker: TestClient[Any]) -> None:
    given = {name: each for name, each in BASE.items() if name != "id"}
    location = broker.post("/subscriptions", json=given).headers["location"]
    assert broker.get(location.removeprefix("/ngsi-ld/v1")).json()["id"] == location.rsplit("/", 1)[-1]


def test_second_subscription_of_an_id_is_refused(broker: TestClient[Any]) -> None:
    assert create(broker).status_code == 201
    again = create(broker)
    assert (again.status_code, again.json()["type"].rsplit("/", 1)[-1]) == (409, "AlreadyExists")


REFUSED: list[dict[str, Any]] = [
    {"type": "Other"},
    {"entities": []},
    {"entities": [{"id": "urn:a:1"}]},
    {"entities": [{"type": "A", "id": "no uri"}]},
    {"entities": [{"type": "A", "idPattern": "("}]},
    {"watchedAttributes": []},
    {"notificationTrigger": ["never"]},
    {"timeInterval": 0},
    {"timeInterval": 5, "throttling": 5},
    {"timeInterval": 5, "watchedAttributes": ["a"]},
    {"throttling": -1},
    {"q": "a=="},
    {"geoQ": {"georel": "near"}},
    {"scopeQ": "//"},
    {"isActive": "yes"},
    {"expiresAt": "2020-01-01T00:00:00Z"},
    {"expiresAt": "tomorrow"},
    {"description": None},
    {"jsonldContext": 5},
    {"notification": {}},
    {"notification": {"endpoint": {"accept": "application/json"}}},
    {"notification": {"endpoint": {"uri": "no uri"}}},
    {"notification": {"endpoint": {"uri": "ftp://receiver.example/"}}},
    {"notification": {"endpoint": {"uri": "http://user:word@receiver.example/"}}},
    {"notification": {"endpoint": {**ENDPOINT, "accept": "text/plain"}}},
    {"notification": {"endpoint": {**ENDPOINT, "receiverInfo": [{"key": "Host", "value": "x"}]}}},
    {"notification": {"endpoint": {**ENDPOINT, "receiverInfo": [{"key": "X", "value": "a\r\nb: c"}]}}},
    {"notification": {"endpoint": ENDPOINT, "attributes": ["a"], "pick": ["b"]}},
    {"notification": {"endpoint": ENDPOINT, "attributes": ["a"], "omit": ["b"]}},
    {"notification": {"endpoint": ENDPOINT, "pick": ["a"], "omit": ["a"]}},
    {"notification": {"endpoint": ENDPOINT, "format": "loud"}},
    {"notification": {"endpoint": ENDPOINT, "format": "keyValues", "showChanges": True}},
]


@pytest.mark.parametrize("members", REFUSED, ids=str)
def test_subscription_is_refused(broker: TestClient[Any], members: dict[str, Any]) -> None:
    answer = create(broker, **members)
    assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (400, "BadRequestData"), answer.text
    assert broker.get("/subscriptions").json() == []


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "0.0.0.0:8000"])
def test_broker_cannot_be_its_own_receiver(broker: TestClient[Any], host: str) -> None:
    endpoint = {"uri": f"http://{host}/ngsi-ld/v1/entities"}
    assert create(broker, notification={"endpoint": endpoint}).status_code == 400


def test_subscription_needs_entities_or_attributes(broker: TestClient[Any]) -> None:
    given = {name: each for name, each in BASE.items() if name != "entities"}
    assert broker.post("/subscriptions", json=given).status_code == 400
    assert broker.post("/subscriptions", json={**given, "watchedAttributes": ["a"]}).status_code == 201


def test_list_is_paged_and_counted(broker: TestClient[Any]) -> None:
    for number in range(5):
        create(broker, id=f"urn:s:{number}")
    page = broker.get("/subscriptions?limit=2&offset=2&count=true")
    assert [each["id"] for each in page.json()] == ["urn:s:2", "urn:s:3"]
    assert page.headers["ngsild-results-count"] == "5"
    assert 'rel="next"' in page.headers["link"]
    assert 'rel="prev"' in page.headers["link"]
    assert broker.get("/subscriptions?limit=0&count=true").json() == []
    assert broker.get("/subscriptions?limit=-1").status_code == 400


NO_ENDPOINT = {"notification": {"format": "concise"}}


def test_update_merges_and_null_removes(broker: TestClient[Any]) -> None:
    create(broker, q="a>1", watchedAttributes=["b"], description="d")
    notification = {"format": "concise", "endpoint": {**ENDPOINT, "timeout": None}}
    fragment = {"q": "a>2", "description": None, "notification": notification, "isActive": False}
    assert broker.patch(PATH, json=fragment).status_code == 204
    found = broker.get(PATH).json()
    assert (found["q"], found["status"], "description" in found) == ("a>2", "paused", False)
    assert found["notification"] == {"endpoint": ENDPOINT, "format": "concise"}
    for wrong in (
        NO_ENDPOINT,
        {"notification": {"endpoint": None}},
        {"q": "a=="},
        {"entities": None},
        {"timeInterval": 5},
    ):
        assert broker.patch(PATH, json=wrong).status_code == 400
    assert broker.get(PATH).json() == found


def test_subscription_expires(broker: TestClient[Any], open_city: City) -> None:
    create(broker, expiresAt="2026-04-01T00:00:10Z")
    assert broker.get(PATH).json()["status"] == "active"
    open_city.clock.advance(seconds=11)  # type: ignore[attr-defined]  # tests own the clock
    assert broker.get(PATH).json()["status"] == "expired"


def test_deleted_subscription_is_gone(broker: TestClient[Any]) -> None:
    create(broker)
    assert broker.delete(PATH).status_code == 204
    for answer in (broker.get(PATH), broker.delete(PATH), broker.patch(PATH, json={"isActive": True})):
        assert (answer.status_code, answer.json()["type"].rsplit("/", 1)[-1]) == (404, "ResourceNotFound")
    assert broker.get("/subscriptions/no-uri").status_code == 400


def test_refusals_are_sentences_of_their_own(open_city: City) -> None:
    place = Place(open_city, OPEN)
    create_subscription(place, BASE, CORE, None)
    with pytest.raises(SubscriptionExists):
        create_subscription(place, BASE, CORE, None)
    with pytest.raises(SubscriptionIsInvalid):
        create_subscription(place, {**BASE, "q": None}, CORE, None)
