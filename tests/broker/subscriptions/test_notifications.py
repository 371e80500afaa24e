"""Which changes are told, and how they look (ETSI GS CIM 009 §5.8.6, §5.3.1): spec tables over the open broker."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.city import City
from tests.broker.subscriptions.conftest import Receiver

ID = "urn:ngsi-ld:Building:1"
PATH = f"/entities/{ID}"
NULL = "urn:ngsi-ld:null"
ENTITY: dict[str, Any] = {
    "id": ID,
    "type": "Building",
    "name": {"type": "Property", "value": "Eiffel"},
    "level": {"type": "Property", "value": 4},
    "locatedAt": {"type": "Relationship", "object": "urn:a:Paris"},
    "street": {"type": "LanguageProperty", "languageMap": {"fr": "Grand Place"}},
    "location": {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [2.0, 48.0]}},
}


def subscribe(broker: TestClient[Any], receiver: Receiver, notification: Any = None, **members: Any) -> str:
    endpoint = {"uri": receiver.url, **(notification or {}).pop("endpoint", {})}
    body = {
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        **members,
        "notification": {**(notification or {}), "endpoint": endpoint},
    }
    made = broker.post("/subscriptions", json={name: each for name, each in body.items() if each is not None})
    assert made.status_code == 201, made.text
    return str(made.headers["location"].rsplit("/", 1)[-1])


@pytest.fixture
def building(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entities", json=ENTITY).status_code == 201
    return broker


def act(broker: TestClient[Any], action: str) -> None:
    """One named change of the building."""
    match action:
        case "create another":
            broker.post("/entities", json={**ENTITY, "id": "urn:ngsi-ld:Building:2"})
        case "update level":
            broker.patch(f"{PATH}/attrs", json={"level": {"type": "Property", "value": 5}})
        case "update name":
            broker.patch(f"{PATH}/attrs", json={"name": {"type": "Property", "value": "Tower"}})
        case "add height":
            broker.post(f"{PATH}/attrs", json={"height": {"type": "Property", "value": 300}})
        case "delete name":
            broker.delete(f"{PATH}/attrs/name")
        case "delete":
            broker.delete(PATH)
        case _:
            raise AssertionError(action)


ALL = ("create another", "update level", "update name", "add height", "delete name", "delete")
TOLD = [
    # members of the subscription, the actions that it is told about
    ({}, {"create another", "update level", "update name", "add height"}),
    ({"notificationTrigger": ["entityCreated"]}, {"create another"}),
    ({"notificationTrigger": ["entityUpdated"]}, {"update level", "update name", "add height", "delete name"}),
    ({"notificationTrigger": ["entityDeleted"]}, {"delete"}),
    ({"notificationTrigger": ["attributeCreated"]}, {"create another", "add height"}),
    ({"notificationTrigger": ["attributeUpdated"]}, {"update level", "update name"}),
    ({"notificationTrigger": ["attributeDeleted"]}, {"delete name", "delete"}),
    ({"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["level"]}, {"delete"}),
    ({"watchedAttributes": ["name"]}, {"create another", "update name"}),
    ({"watchedAttributes": ["height"]}, {"add height"}),
    ({"entities": None, "watchedAttributes": ["level"]}, {"create another", "update level"}),
    ({"entities": [{"type": "Shop"}]}, set()),
    ({"entities": [{"type": "Shop"}, {"type": "Building", "id": ID}]}, {"update level", "update name", "add height"}),
    ({"entities": [{"type": "Building", "idPattern": ".*:2$"}]}, {"create another"}),
    ({"q": "level>4"}, {"update level"}),
    ({"q": "level>9"}, set()),
    ({"geoQ": {"georel": "near;maxDistance==10", "geometry": "Point", "coordinates": [2, 48]}, "q": "height"},
     {"add height"}),
    ({"geoQ": {"georel": "near;maxDistance==10", "geometry": "Point", "coordinates": [9, 9]}}, set()),
    ({"isActive": False}, set()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("members", "told"), TOLD, ids=lambda given: str(sorted(given)) if isinstance(given, set) else str(given)
)
def test_subscription_is_told_what_it_asked_for(
    building: TestClient[Any], receiver: Receiver, open_city: City, members: dict[str, Any], told: set[str]
) -> None:
    found = set()
    for action in ALL:
        for path in ("urn:ngsi-ld:Building:1", "urn:ngsi-ld:Building:2"):
            building.delete(f"/entities/{path}")
        building.post("/entities", json=ENTITY)
        notify_all(open_city)
        subscription = subscribe(building, receiver, **members)
        receiver.got.clear()
        act(building, action)
        notify_all(open_city)
        if receiver.got:
            assert len(receiver.got) == 1
            found.add(action)
        building.delete(f"/subscriptions/{subscription}")
    assert found == told


def told(
    broker: TestClient[Any], receiver: Receiver, city: City, action: str, notification: Any, **members: Any
) -> Any:
    subscribe(broker, receiver, notification, **members)
    act(broker, action)
    notify_all(city)
    return receiver.data[0]


def test_notification_has_the_form_of_the_standard(
    building: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    """§5.3.1, §6.3.8: with the headers that its receiver wants (§5.2.15)."""
    info = [{"key": "X-Key", "value": "v"}]
    subscription = subscribe(building, receiver, {"endpoint": {"receiverInfo": info}})
    act(building, "update level")
    notify_all(open_city)
    (notification,) = receiver.got
    (headers,) = receiver.headers
    assert notification.pop("id").startswith("urn:ngsi-ld:Notification:")
    entity = {**ENTITY, "level": {"type": "Property", "value": 5}}
    assert notification == {
        "type": "Notification",
        "subscriptionId": subscription,
        "notifiedAt": "2026-04-01T00:00:00Z",
        "data": [entity],
    }
    assert headers["content-type"] == "application/json"
    assert "ngsi-ld-core-context" in headers["link"]
    assert headers["x-key"] == "v"
    state = building.get(f"/subscriptions/{subscription}").json()["notification"]
    assert (state["status"], state["timesSent"], "timesFailed" in state) == ("ok", 1, False)
    assert state["lastNotification"] == state["lastSuccess"] == "2026-04-01T00:00:00Z"


def test_json_ld_has_its_context_in_the_body(building: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    told(building, receiver, open_city, "update level", {"endpoint": {"accept": "application/ld+json"}})
    assert "ngsi-ld-core-context" in receiver.got[0]["@context"]
    assert "link" not in receiver.headers[0]


def test_geojson_is_a_collection(building: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    subscribe(building, receiver, {"endpoint": {"accept": "application/geo+json"}})
    act(building, "update level")
    notify_all(open_city)
    data = receiver.got[0]["data"]
    assert data["type"] == "FeatureCollection"
    assert data["features"][0]["geometry"] == ENTITY["location"]["value"]


SHAPES = [
    # what is asked of the notification, the change, what of the entity is told
    ({"attributes": ["level"]}, {}, "update level", {"level": {"type": "Property", "value": 5}}),
    ({"attributes": ["level"], "format": "keyValues"}, {}, "update level", {"level": 5}),
    ({"attributes": ["level"], "format": "concise"}, {}, "update level", {"level": 5}),
    ({"pick": ["id", "type", "name"]}, {}, "update level", {"name": ENTITY["name"]}),
    ({"omit": ["locatedAt", "street", "location", "level"]}, {}, "update name",
     {"name": {"type": "Property", "value": "Tower"}}),
    ({"attributes": ["level"], "showChanges": True}, {}, "update level",
     {"level": {"type": "Property", "value": 5, "previousValue": 4}}),
    ({"attributes": ["name", "level"], "showChanges": True}, {}, "update level",
     {"name": ENTITY["name"], "level": {"type": "Property", "value": 5, "previousValue": 4}}),
    ({"attributes": ["name"]}, {"notificationTrigger": ["attributeDeleted"]}, "delete name",
     {"name": {"type": "Property", "value": NULL}}),
    ({"attributes": ["name", "level"], "format": "keyValues"}, {"notificationTrigger": ["attributeDeleted"]},
     "delete name", {"name": NULL, "level": 4}),
    ({"attributes": ["name"], "showChanges": True}, {"notificationTrigger": ["attributeDeleted"]}, "delete name",
     {"name": {"type": "Property", "value": NULL, "previousValue": "Eiffel"}}),
    ({}, {"notificationTrigger": ["entityDeleted"]}, "delete", {"deletedAt": "2026-04-01T00:00:00Z"}),
    ({"attributes": ["name"]}, {"notificationTrigger": ["attributeDeleted"]}, "delete",
     {"deletedAt": "2026-04-01T00:00:00Z", "name": {"type": "Property", "value": NULL}}),
    ({"attributes": ["locatedAt", "street"], "showChanges": True}, {"notificationTrigger": ["entityDeleted"]}, "delete",
     {"deletedAt": "2026-04-01T00:00:00Z",
      "locatedAt": {"type": "Relationship", "object": NULL, "previousObject": "urn:a:Paris"},
      "street": {"type": "LanguageProperty", "languageMap": {"@none": NULL}, "previousLanguageMap": {"fr": "Grand Place"}}}),
]  # fmt: skip


@pytest.mark.parametrize(("notification", "members", "action", "expected"), SHAPES, ids=str)
def test_entity_is_told_in_the_shape_asked_for(
    building: TestClient[Any],
    receiver: Receiver,
    open_city: City,
    notification: dict[str, Any],
    members: dict[str, Any],
    action: str,
    expected: dict[str, Any],
) -> None:
    found = told(building, receiver, open_city, action, dict(notification), **members)
    assert found == {"id": ID, "type": "Building", **expected}


def test_system_attributes_are_told_where_asked_for(
    building: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    found = told(building, receiver, open_city, "update level", {"sysAttrs": True, "attributes": ["level"]})
    assert {"createdAt", "modifiedAt"} <= found.keys()
    assert {"createdAt", "modifiedAt"} <= found["level"].keys()


def test_removed_instance_is_told_beside_those_that_stay(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    names = [{"type": "Property", "value": "a"}, {"type": "Property", "value": "b", "datasetId": "urn:d:1"}]
    broker.post("/entities", json={"id": ID, "type": "Building", "name": names})
    subscribe(broker, receiver, notificationTrigger=["attributeDeleted"])
    broker.delete(f"{PATH}/attrs/name?datasetId=urn:d:1")
    notify_all(open_city)
    assert receiver.data[0]["name"] == [names[0], {"type": "Property", "value": NULL, "datasetId": "urn:d:1"}]


def test_throttling_holds_back_and_tells_the_latest(
    building: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    subscribe(building, receiver, {"attributes": ["level"], "format": "keyValues"}, throttling=10)
    for value in (1, 2, 3):
        building.patch(f"{PATH}/attrs", json={"level": {"type": "Property", "value": value}})
        notify_all(open_city)
    assert [each["level"] for each in receiver.data] == [1]
    open_city.clock.advance(seconds=10)  # type: ignore[attr-defined]  # tests own the clock
    notify_all(open_city)
    assert [each["level"] for each in receiver.data] == [1, 3]


def test_time_interval_tells_without_a_change(building: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    subscribe(building, receiver, timeInterval=5)
    act(building, "update level")
    notify_all(open_city)
    assert receiver.got == []
    for _ in range(2):
        open_city.clock.advance(seconds=5)  # type: ignore[attr-defined]  # tests own the clock
        notify_all(open_city)
        notify_all(open_city)
    assert [each["level"]["value"] for each in receiver.data] == [5, 5]


def test_pause_drops_what_waits_and_resumption_tells_again(
    building: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    subscription = subscribe(building, receiver)
    for is_active, action in ((False, "update level"), (True, "update name")):
        building.patch(f"/subscriptions/{subscription}", json={"isActive": is_active})
        act(building, action)
        notify_all(open_city)
        assert len(receiver.got) == is_active


def test_tenants_are_told_apart(broker: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    body = {
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": {"endpoint": {"uri": receiver.url}},
    }
    broker.post("/subscriptions", json=body, headers={"NGSILD-Tenant": "east"})
    broker.post("/entities", json=ENTITY)
    notify_all(open_city)
    assert receiver.got == []
    broker.post("/entities", json=ENTITY, headers={"NGSILD-Tenant": "east"})
    notify_all(open_city)
    assert len(receiver.got) == 1
    assert receiver.headers[0]["ngsild-tenant"] == "east"


@pytest.mark.parametrize("join", ["inline", "flat"])
def test_linked_entities_are_told_with_those_that_lead_to_them(
    building: TestClient[Any], receiver: Receiver, open_city: City, join: str
) -> None:
    building.post("/entities", json={"id": "urn:a:Paris", "type": "City", "name": {"type": "Property", "value": "P"}})
    notify_all(open_city)
    subscribe(building, receiver, {"join": join, "joinLevel": 1, "attributes": ["locatedAt"]})
    act(building, "update level")
    notify_all(open_city)
    paris = {"id": "urn:a:Paris", "type": "City", "name": {"type": "Property", "value": "P"}}
    entity: dict[str, Any] = {"id": ID, "type": "Building", "locatedAt": dict(ENTITY["locatedAt"])}
    if join == "inline":
        entity["locatedAt"]["entity"] = paris
    assert receiver.data == ([entity] if join == "inline" else [entity, paris])


@pytest.mark.parametrize("deleted", [False, True])
def test_contexts_without_a_url_are_named_by_their_address(
    broker: TestClient[Any], open_city: City, receiver: Receiver, deleted: bool
) -> None:
    contexts = [{"Building": "https://a.example/Building"}, {"name": "https://a.example/name"}]
    body = {
        "id": "urn:ngsi-ld:Subscription:1",
        "type": "Subscription",
        "entities": [{"type": "Building"}],
        "notification": {"endpoint": {"uri": receiver.url}},
        "@context": contexts,
    }
    headers = {"content-type": "application/ld+json"}
    assert broker.post("/subscriptions", json=body, headers=headers).status_code == 201
    url = broker.get(f"/subscriptions/{body['id']}").json()["jsonldContext"]
    if deleted:
        assert broker.delete(f"/jsonldContexts/{url.rsplit('/', 1)[-1]}").status_code == 204
    broker.post("/entities", json={**ENTITY, "@context": contexts}, headers=headers)
    notify_all(open_city)
    assert receiver.data[0]["type"] == "Building"
    assert receiver.headers[0]["link"].startswith(f"<{url}>;")
