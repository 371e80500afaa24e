"""Subscriptions and notifications by clause of ETSI GS CIM 009 (§5.2.12 to §5.2.15, §5.2.22, §5.3.1, §5.8)."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.city import City
from tests.broker.subscriptions.conftest import Receiver

ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
NULL = "urn:ngsi-ld:null"
LAMP: dict[str, Any] = {
    "id": "urn:l:1",
    "type": "Lamp",
    "name": {"type": "Property", "value": "Ahorn"},
    "street": {"type": "LanguageProperty", "languageMap": {"fr": "Place"}},
    "heldBy": {"type": "Relationship", "object": "urn:p:1"},
}


def subscribe(broker: TestClient[Any], receiver: Receiver, notification: Any = None, **members: Any) -> Any:
    given = dict(notification or {})
    endpoint = {"uri": receiver.url, **given.pop("endpoint", {})}
    body = {
        "type": "Subscription",
        "entities": [{"type": "Lamp"}],
        **members,
        "notification": {**given, "endpoint": endpoint},
    }
    return broker.post("/subscriptions", json=body)


# members of the subscription, members of its notification: what no subscription may have
REFUSED: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"expiresAt": "2000-01-01T00:00:00Z"}, {}),  # 5.8.1.4
    ({"notificationTrigger": ["entityChanged"]}, {}),  # Table 5.2.12-1
    ({"csf": "(("}, {}),
    ({"timeInterval": 5, "throttling": 5}, {}),
    ({"throttling": -1}, {}),
    ({"id": "invalid"}, {}),
    ({"id": ""}, {}),
    ({}, {"format": "keyValues", "showChanges": True}),  # Table 5.2.14.1-1
    ({}, {"format": "simplified", "showChanges": True}),
    ({}, {"attributes": []}),
    ({}, {"pick": []}),
    ({}, {"omit": []}),
    ({}, {"pick": ["name"], "omit": ["name"]}),
    ({}, {"pick": ["name"], "attributes": ["name"]}),
    ({}, {"endpoint": {"receiverInfo": [{"key": "K", "value": 42}]}}),  # Table 5.2.22-1
    ({}, {"endpoint": {"notifierInfo": [{"key": "K", "value": {"a": 1}}]}}),
    ({}, {"endpoint": {"receiverInfo": [{"key": "K"}]}}),
    ({}, {"endpoint": {"receiverInfo": [{"key": 5, "value": "v"}]}}),
]


@pytest.mark.parametrize(("members", "notification"), REFUSED)
def test_subscription_that_its_table_forbids_is_refused(
    broker: TestClient[Any], receiver: Receiver, members: dict[str, Any], notification: dict[str, Any]
) -> None:
    answer = subscribe(broker, receiver, notification, **members)
    assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData"), answer.text


def test_members_that_no_subscription_has_are_not_kept(broker: TestClient[Any], receiver: Receiver) -> None:
    """5.2.12: what is the broker's to say is ignored, and nothing else is served."""
    made = subscribe(broker, receiver, {"timesSent": 42}, __context="http://elsewhere.example/", status="expired")
    assert made.status_code == 201
    found = broker.get(made.headers["location"].removeprefix("/ngsi-ld/v1")).json()
    assert (found["status"], "elsewhere" in str(found), found["notification"].get("timesSent")) == (
        "active",
        False,
        None,
    )


def test_preferred_version_changes_nothing_of_a_subscription(broker: TestClient[Any], receiver: Receiver) -> None:
    """4.3.6.8, 6.3.6"""
    made = subscribe(broker, receiver, {"attributes": ["name"]})
    for path in (made.headers["location"].removeprefix("/ngsi-ld/v1"), "/subscriptions"):
        plain, preferred = broker.get(path), broker.get(path, headers={"Prefer": "NGSI-LD=1.0;q=0.1"})
        assert (preferred.status_code, preferred.headers["preference-applied"]) == (200, "ngsi-ld=1.0")
        assert preferred.json() == plain.json()


def test_condition_on_linked_entities_is_followed(broker: TestClient[Any], receiver: Receiver, open_city: City) -> None:
    """4.9: `attr{path}`"""
    assert subscribe(broker, receiver, q="heldBy{height}>3").status_code == 201
    for number, height in ((1, 2), (2, 5)):
        pole = {"id": f"urn:p:{number}", "type": "Pole", "height": {"type": "Property", "value": height}}
        broker.post("/entities", json=pole)
        broker.post(
            "/entities", json={**LAMP, "id": f"urn:l:{number}", "heldBy": {**LAMP["heldBy"], "object": pole["id"]}}
        )
    notify_all(open_city)
    assert [each["id"] for each in receiver.data] == ["urn:l:2"]


def test_json_ld_notification_has_the_context_in_each_entity(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    """5.3.1, 6.3.5"""
    broker.post("/entities", json=LAMP)
    subscribe(broker, receiver, {"endpoint": {"accept": "application/ld+json"}})
    broker.patch("/entities/urn:l:1/attrs", json={"name": {"type": "Property", "value": "Birke"}})
    notify_all(open_city)
    assert receiver.got[0]["data"][0]["@context"] == receiver.got[0]["@context"]
    assert "link" not in receiver.headers[0]


# what the subscription asks for, the deletion, what is told of the lamp beside its id, type and deletedAt
DELETED: list[tuple[dict[str, Any], dict[str, Any], str, dict[str, Any]]] = [
    ({"notificationTrigger": ["entityDeleted"]}, {}, "", {}),
    ({"notificationTrigger": ["attributeDeleted"], "watchedAttributes": ["name"]}, {}, "",
     {"name": {"type": "Property", "value": NULL}}),
    ({"notificationTrigger": ["entityDeleted"]}, {"showChanges": True}, "", {
        "name": {"type": "Property", "value": NULL, "previousValue": "Ahorn"},
        "street": {"type": "LanguageProperty", "languageMap": {"@none": NULL}, "previousLanguageMap": {"fr": "Place"}},
        "heldBy": {"type": "Relationship", "object": NULL, "previousObject": "urn:p:1"},
    }),
    ({"notificationTrigger": ["attributeDeleted"]}, {}, "/attrs/street", {
        "name": LAMP["name"], "heldBy": LAMP["heldBy"],
        "street": {"type": "LanguageProperty", "languageMap": {"@none": NULL}},
    }),
    ({"notificationTrigger": ["attributeDeleted"]}, {"format": "keyValues"}, "/attrs/name", {
        "name": NULL, "heldBy": "urn:p:1", "street": {"languageMap": {"fr": "Place"}},
    }),
]  # fmt: skip


@pytest.mark.parametrize(("members", "notification", "path", "told"), DELETED)
def test_deletion_is_told_as_null(
    broker: TestClient[Any],
    receiver: Receiver,
    open_city: City,
    members: dict[str, Any],
    notification: dict[str, Any],
    path: str,
    told: dict[str, Any],
) -> None:
    """5.8.6, 4.5.0, 4.5.18"""
    broker.post("/entities", json=LAMP)
    assert subscribe(broker, receiver, notification, **members).status_code == 201
    assert broker.delete(f"/entities/urn:l:1{path}").status_code == 204
    notify_all(open_city)
    (data,) = receiver.data
    assert {name: each for name, each in data.items() if name not in ("id", "type", "deletedAt")} == told
    assert ("deletedAt" in data) == (not path)


def test_paused_subscription_is_silent_until_it_goes_on(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    """Table 5.2.12-1, 5.8.2"""
    made = subscribe(broker, receiver, isActive=False).headers["location"].removeprefix("/ngsi-ld/v1")
    assert broker.get(made).json()["status"] == "paused"
    broker.post("/entities", json=LAMP)
    notify_all(open_city)
    assert receiver.got == []
    assert broker.patch(made, json={"isActive": True}).status_code == 204
    broker.patch("/entities/urn:l:1/attrs", json={"name": {"type": "Property", "value": "Birke"}})
    notify_all(open_city)
    found = broker.get(made).json()
    assert (len(receiver.got), found["status"], found["notification"]["timesSent"]) == (1, "active", 1)
    assert found["notification"]["status"] == "ok"
    assert {"lastNotification", "lastSuccess"} <= found["notification"].keys()
