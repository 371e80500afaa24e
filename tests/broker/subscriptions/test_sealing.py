"""Passwords of receivers and sources: in the database for nobody, in answers for those who may know them."""

import json
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions as registrations
from sanpo.broker.selection import Window
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.actors import Client, System
from sanpo.ground.city import City
from sanpo.ground.keys import Keys
from tests.broker.conformance.test_source_subscriptions import subscribe as subscribe_to_sources
from tests.broker.registrations.conftest import here, register, source
from tests.broker.subscriptions.conftest import Receiver
from tests.broker.subscriptions.test_notifications import subscribe
from tests.broker.subscriptions.test_sending import write

__all__ = ["here", "register", "source"]
SECRET = "geheim-7f3a"
INFO = [{"key": "Authorization", "value": f"Bearer {SECRET}"}]
OF_V2: list[dict[str, Any]] = [
    {"http": {"url": f"http://receiver.example/?key={SECRET}"}},
    {"httpCustom": {"url": "http://receiver.example/", "headers": {"Authorization": SECRET}}},
    {"mqtt": {"url": "mqtt://receiver.example", "topic": "a", "user": "u", "passwd": SECRET}},
]


def stored(city: City) -> str:
    """All that the database holds of subscriptions, registrations and notifications."""
    with city.transaction(System("broker")) as tx:
        rows = [
            *tx.all("select s::text as text from broker.subscriptions s"),
            *tx.all("select r::text as text from broker.registrations r"),
            *tx.all("select n::text as text from broker.notifications n"),
        ]
    return "\n".join(row.text for row in rows)


def test_receiver_gets_what_the_database_does_not_show(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    made = subscribe(broker, receiver, {"endpoint": {"receiverInfo": INFO}})
    write(broker, 1, 5)
    assert SECRET not in stored(open_city)
    notify_all(open_city)
    assert receiver.headers[0]["authorization"] == f"Bearer {SECRET}"
    found = broker.get(f"/subscriptions/{made}").json()
    assert found["notification"]["endpoint"] == {"uri": receiver.url, "receiverInfo": INFO}
    assert broker.patch(f"/subscriptions/{made}", json={"description": "the same receiver"}).status_code == 204
    assert SECRET not in stored(open_city)
    write(broker, 1, 6)
    notify_all(open_city)
    assert receiver.headers[1]["authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize("notification", OF_V2, ids=lambda each: next(iter(each)))
def test_receiver_of_ngsi_v2_is_sealed_too(
    broker: TestClient[Any], open_city: City, notification: dict[str, Any]
) -> None:
    data = {"subject": {"entities": [{"idPattern": ".*", "type": "Room"}]}, "notification": notification}
    made = broker.post("http://testserver.local/v2/subscriptions", json=data)
    assert made.status_code == 201, made.text
    kept = stored(open_city)
    assert SECRET not in kept.replace(f"?key={SECRET}", "?")  # the address itself is shown, but for its password
    shown = broker.get(f"http://testserver.local{made.headers['location']}").json()["notification"]
    (kind,) = notification
    assert shown[kind] == {**notification[kind], **({"passwd": "*****"} if kind == "mqtt" else {})}


def test_source_is_told_what_the_database_does_not_show(
    here: TestClient[Any], source: Any, receiver: Receiver, open_city: City
) -> None:
    subscribe_to_sources(here, receiver)
    made = register(here, source, contextSourceInfo=INFO, operations=["retrieveOps"])
    here.patch(f"/csourceRegistrations/{made}", json={"description": "as before"})
    assert SECRET not in stored(open_city)
    source.lay("GET", "entities", 200, [])
    here.get("/entities?type=Car")
    assert source.asked[0][3]["authorization"] == f"Bearer {SECRET}"
    assert here.get(f"/csourceRegistrations/{made}").json()["contextSourceInfo"] == INFO
    notify_all(open_city)
    assert receiver.data
    assert SECRET not in json.dumps(receiver.got)


def test_who_may_not_register_sees_no_password_of_a_source(city: City) -> None:
    body = {
        "type": "ContextSourceRegistration",
        "endpoint": "http://source.example",
        "information": [{"entities": [{"type": "Car"}]}],
        "contextSourceInfo": INFO,
    }
    made = registrations.register(Place(city, System("operator")), body, CORE)
    for actor, sees in ((Client("cli_1", "org_1", 1), False), (System("operator"), True)):
        place = Place(city, actor)
        (listed,), _, _ = registrations.query(place, registrations.Asked(), lambda each: True, Window(10), CORE)
        for each in (listed, registrations.retrieve(place, made, CORE)):
            assert ("contextSourceInfo" in each) is sees


def test_city_with_another_secret_goes_on_without_the_passwords(
    broker: TestClient[Any], web: Any, receiver: Receiver, open_city: City
) -> None:
    made = subscribe(broker, receiver, {"endpoint": {"receiverInfo": INFO}})
    registrations.register(
        Place(open_city, OPEN),
        {
            "type": "ContextSourceRegistration",
            "endpoint": "http://source.example",
            "information": [{"entities": [{"type": "Car"}]}],
            "contextSourceInfo": INFO,
        },
        CORE,
    )
    web.state.city = other = replace(open_city, keys=Keys(bytes(32)))
    found = broker.get(f"/subscriptions/{made}").json()
    assert (found["notification"]["endpoint"]["uri"], SECRET in str(found)) == (receiver.url, False)
    assert broker.get("/csourceRegistrations?type=Car").json()[0]["contextSourceInfo"] == []
    write(broker, 1, 5)
    notify_all(other)
    assert len(receiver.got) == 1
    assert "authorization" not in receiver.headers[0]


def test_what_was_stored_before_is_read_and_then_sealed(
    broker: TestClient[Any], receiver: Receiver, open_city: City
) -> None:
    made = subscribe(broker, receiver)
    plain = {"uri": receiver.url, "receiverInfo": INFO}
    with open_city.transaction(System("broker")) as tx:
        tx.execute(
            "update broker.subscriptions set revision = revision + 1, "
            "doc = jsonb_set(doc, '{notification,endpoint}', %(plain)s::jsonb)",
            plain=json.dumps(plain),
        )
    write(broker, 1, 5)
    notify_all(open_city)
    assert receiver.headers[0]["authorization"] == f"Bearer {SECRET}"
    broker.patch(f"/subscriptions/{made}", json={"description": "now sealed"})
    assert SECRET not in stored(open_city)
    assert broker.get(f"/subscriptions/{made}").json()["notification"]["endpoint"] == plain
