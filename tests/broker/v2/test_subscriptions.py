"""Subscriptions of `/v2` and what they tell, over the same durable outbox as those of NGSI-LD."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.subscriptions import create
from sanpo.broker.store import decode, encode
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.sending import notify_all
from sanpo.consent import Decision
from sanpo.ground.city import City
from tests.broker.consented import build
from tests.broker.mqtt_server import MqttServer

Http = TestClient[Any]


@dataclass
class Receiver:
    """Keeps method, path, headers and body of what it gets, and answers with `status`."""

    got: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/notify"

    @property
    def bodies(self) -> list[Any]:
        return [decode(each[3]) for each in self.got]

    @property
    def data(self) -> list[Any]:
        return [entity for body in self.bodies for entity in body["data"]]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    found = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.got.append((self.command, self.path, headers, body))
            self.send_response(found.status)
            self.send_header("content-length", "0")
            self.end_headers()

        do_POST = do_PUT = do_GET = answer  # noqa: N815  # the server's own names

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    found.port = server.server_address[1]
    yield found
    server.shutdown()
    server.server_close()


@pytest.fixture
def open_city(city: City) -> City:
    """May reach receivers on loopback."""
    settings = replace(city.settings, broker_open=True, broker_allow_hosts="127.0.0.1", port=1)
    return replace(city, settings=settings)


def subscription(receiver: Receiver, condition: Any = None, **told: Any) -> dict[str, Any]:
    subject = {"entities": [{"idPattern": ".*", "type": "Room"}], **({"condition": condition} if condition else {})}
    return {"subject": subject, "notification": {"http": {"url": receiver.url}, **told}}


def subscribe(v2: Http, data: Any, **headers: str) -> str:
    reply = v2.post("/subscriptions", json=data, headers=headers)
    assert reply.status_code == 201, reply.text
    return str(reply.headers["location"]).rsplit("/", 1)[-1]


def room(v2: Http, name: str = "Room1", **values: Any) -> None:
    entity = {"id": name, "type": "Room", **{key: {"value": value} for key, value in values.items()}}
    body = {"actionType": "append", "entities": [entity]}
    assert v2.post("/op/update", json=body).status_code == 204


def test_change_is_told_in_the_form_of_ngsi_v2(v2: Http, open_city: City, receiver: Receiver) -> None:
    subscription_id = subscribe(v2, subscription(receiver))
    room(v2, temperature=21)
    notify_all(open_city)
    temperature = {"type": "Number", "value": 21, "metadata": {}}
    assert receiver.bodies == [
        {"subscriptionId": subscription_id, "data": [{"id": "Room1", "type": "Room", "temperature": temperature}]}
    ]
    headers = receiver.got[0][2]
    assert headers["ngsiv2-attrsformat"] == "normalized"
    assert headers["fiware-servicepath"] == "/"
    assert headers["content-type"] == "application/json"
    found = v2.get(f"/subscriptions/{subscription_id}").json()
    assert found["status"] == "active"
    assert found["notification"]["timesSent"] == 1
    assert found["notification"]["lastSuccess"].endswith("Z")


def test_change_made_through_ngsi_ld_is_told_too(broker: Http, v2: Http, open_city: City, receiver: Receiver) -> None:
    subscribe(v2, subscription(receiver, attrsFormat="keyValues"))
    made = {"id": "urn:ngsi-ld:Room:1", "type": "Room", "size": {"type": "Property", "value": 3}}
    assert broker.post("/entities", json=made).status_code == 201
    notify_all(open_city)
    assert receiver.data == [{"id": "urn:ngsi-ld:Room:1", "type": "Room", "size": 3}]


def test_only_what_differs_is_a_change(v2: Http, open_city: City, receiver: Receiver) -> None:
    room(v2, temperature=21, size=1)
    subscribe(v2, subscription(receiver, {"attrs": ["temperature"]}, attrsFormat="keyValues"))
    room(v2, temperature=21)
    room(v2, size=2)
    notify_all(open_city)
    assert receiver.got == []
    room(v2, temperature=22)
    notify_all(open_city)
    assert receiver.data == [{"id": "Room1", "type": "Room", "temperature": 22, "size": 2}]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, ["entityCreate", "entityChange"]),
        (["entityUpdate"], ["entityUpdate", "entityChange"]),
        (["entityCreate", "entityDelete"], ["entityCreate", "entityDelete"]),
    ],
)
def test_alterations_asked_for_are_told(
    v2: Http, open_city: City, receiver: Receiver, asked: list[str] | None, told: list[str]
) -> None:
    condition = {"alterationTypes": asked} if asked else None
    subscribe(v2, subscription(receiver, condition, attrs=["alterationType"], attrsFormat="values"))
    room(v2, temperature=1)
    room(v2, temperature=1)
    room(v2, temperature=2)
    v2.delete("/entities/Room1")
    notify_all(open_city)
    assert receiver.data == [[each] for each in told]


def test_metadata_alone_is_a_change_unless_told_otherwise(v2: Http, open_city: City, receiver: Receiver) -> None:
    room(v2, temperature=1)
    subscribe(v2, subscription(receiver, attrsFormat="keyValues"))
    subscribe(v2, subscription(receiver, {"notifyOnMetadataChange": False}, attrsFormat="values"))
    v2.patch("/entities/Room1/attrs", json={"temperature": {"value": 1, "metadata": {"a": {"value": 1}}}})
    notify_all(open_city)
    assert receiver.data == [{"id": "Room1", "type": "Room", "temperature": 1}]


def test_expression_and_selectors_narrow(v2: Http, open_city: City, receiver: Receiver) -> None:
    hot = subscription(receiver, {"expression": {"q": "temperature>30"}}, attrsFormat="values", attrs=["temperature"])
    hot["subject"]["entities"] = [{"idPattern": "^Room[12]$"}]
    subscribe(v2, hot)
    typed = subscription(receiver, attrsFormat="values", attrs=["seen"])
    typed["subject"]["entities"] = [{"id": "Lamp1", "typePattern": "^La"}]
    subscribe(v2, typed)
    for name, temperature in (("Room1", 20), ("Room2", 35), ("Room3", 40)):
        room(v2, name, temperature=temperature)
    v2.post("/entities", json={"id": "Lamp1", "type": "Lamp", "seen": {"value": "yes"}})
    notify_all(open_city)
    assert sorted(map(str, receiver.data)) == ["['yes']", "[35]"]


def test_service_path_narrows(v2: Http, open_city: City, receiver: Receiver) -> None:
    told = subscription(receiver, attrsFormat="values", attrs=["servicePath"])
    subscribe(v2, told, **{"fiware-servicepath": "/Madrid/#"})
    for path in ("/Rome", "/Madrid/Gardens"):
        v2.post("/entities", json={"id": path[1:3], "type": "Room"}, headers={"fiware-servicepath": path})
    notify_all(open_city)
    assert receiver.data == [["/Madrid/Gardens"]]
    assert receiver.got[0][2]["fiware-servicepath"] == "/Madrid/Gardens"


def test_attributes_and_metadata_are_chosen(v2: Http, open_city: City, receiver: Receiver) -> None:
    room(v2, a=1, b=1, c=1)
    subscribe(v2, subscription(receiver, exceptAttrs=["c"], attrsFormat="keyValues"))
    subscribe(v2, subscription(receiver, onlyChangedAttrs=True, attrsFormat="keyValues"))
    subscribe(v2, subscription(receiver, attrs=["b", "z"], covered=True, attrsFormat="keyValues"))
    subscribe(v2, subscription(receiver, attrs=["a", "b"], metadata=["previousValue", "actionType"]))
    room(v2, a=2)
    notify_all(open_city)
    expected: list[dict[str, Any]] = [
        {"a": 2, "b": 1},
        {"a": 2},
        {"b": 1, "z": None},
        {
            "a": {
                "type": "Number",
                "value": 2,
                "metadata": {
                    "previousValue": {"type": "Number", "value": 1},
                    "actionType": {"type": "Text", "value": "update"},
                },
            },
            "b": {"type": "Number", "value": 1, "metadata": {}},
        },
    ]
    told = [{name: each for name, each in found.items() if name not in ("id", "type")} for found in receiver.data]
    assert sorted(told, key=str) == sorted(expected, key=str)


def test_custom_notification_is_made_to_its_template(v2: Http, open_city: City, receiver: Receiver) -> None:
    custom = {
        "url": receiver.url + "/${id}",
        "method": "PUT",
        "headers": {"Content-Type": "text/x-${type}", "X-Path": "${servicePath}"},
        "qs": {"type": "${type}", "n": "${none}"},
        "payload": "It is ${temperature} degrees, %22${list}%22",
    }
    told = subscription(receiver)
    told["notification"] = {"httpCustom": custom}
    subscribe(v2, told)
    room(v2, "R_1", temperature=23.4, list=[1, 2])
    notify_all(open_city)
    method, path, headers, body = receiver.got[0]
    assert (method, path) == ("PUT", "/notify/R_1?type=Room&n=")
    assert (headers["content-type"], headers["x-path"], headers["ngsiv2-attrsformat"]) == ("text/x-Room", "/", "custom")
    assert body == b'It is 23.4 degrees, "[1,2]"'


def test_custom_json_and_ngsi_keep_the_types_of_values(v2: Http, open_city: City, receiver: Receiver) -> None:
    for template in (
        {"json": {"t": "${temperature}", "text": "at ${temperature}", "none": "${none}", "list": ["${id}"]}},
        {"ngsi": {"id": "prefix:${id}", "extra": {"value": "${temperature}", "type": "Calculated"}}},
        {"payload": None, "method": "GET", "headers": {"Content-Type": ""}},
    ):
        told = subscription(receiver)
        told["notification"] = {"httpCustom": {"url": receiver.url, **template}}
        subscribe(v2, told)
    room(v2, temperature=5)
    room(v2, "Room2", temperature=6)
    notify_all(open_city)
    assert len(receiver.got) == 6
    bodies = [decode(body) for _, _, _, body in receiver.got if body]
    assert {"t": 5, "text": "at 5", "none": None, "list": ["Room1"]} in bodies
    (found,) = [body["data"] for body in bodies if body.get("data", [{}])[0].get("id") == "prefix:Room1"]
    assert found[0]["extra"] == {"value": 5, "type": "Calculated", "metadata": {}}
    assert found[0]["temperature"]["value"] == 5
    assert [body for method, _, _, body in receiver.got if method == "GET"] == [b"", b""]


def test_simplified_formats_are_the_entity_alone(v2: Http, open_city: City, receiver: Receiver) -> None:
    subscribe(v2, subscription(receiver, attrsFormat="simplifiedKeyValues"))
    room(v2, temperature=5)
    room(v2, "Room2", temperature=6)
    notify_all(open_city)
    assert [body["temperature"] for body in receiver.bodies] == [5, 6]


def test_notification_goes_over_mqtt_as_it_is(v2: Http, open_city: City, mqtt_server: MqttServer) -> None:
    told = {
        "subject": {"entities": [{"idPattern": ".*"}]},
        "notification": {"mqtt": {"url": f"mqtt://127.0.0.1:{mqtt_server.port}", "topic": "a/b", "qos": 1}},
    }
    subscription_id = subscribe(v2, told)
    room(v2, temperature=5)
    notify_all(open_city)
    (message,) = mqtt_server.got
    assert message.topic == "a/b"
    assert decode(message.payload)["subscriptionId"] == subscription_id


def test_failure_is_shown_and_tried_again(v2: Http, open_city: City, receiver: Receiver, clock: Any) -> None:
    subscription_id = subscribe(v2, subscription(receiver, attrsFormat="keyValues"))
    receiver.status = 500
    room(v2, temperature=5)
    notify_all(open_city)
    found = v2.get(f"/subscriptions/{subscription_id}").json()
    assert found["status"] == "failed"
    assert (found["notification"]["lastFailureReason"], found["notification"]["failsCounter"]) == ("HTTP 500", 1)
    receiver.status = 200
    clock.advance(seconds=5)
    notify_all(open_city)
    assert receiver.data == [{"id": "Room1", "type": "Room", "temperature": 5}] * 2
    assert v2.get(f"/subscriptions/{subscription_id}").json()["status"] == "active"


def test_too_many_failures_end_it(v2: Http, open_city: City, receiver: Receiver) -> None:
    subscription_id = subscribe(v2, subscription(receiver, maxFailsLimit=1))
    receiver.status = 500
    room(v2, temperature=5)
    notify_all(open_city)
    assert v2.get(f"/subscriptions/{subscription_id}").json()["status"] == "inactive"


def test_oneshot_is_told_once(v2: Http, open_city: City, receiver: Receiver) -> None:
    subscription_id = subscribe(v2, {**subscription(receiver), "status": "oneshot"})
    assert v2.get(f"/subscriptions/{subscription_id}").json()["status"] == "oneshot"
    room(v2, temperature=5)
    notify_all(open_city)
    room(v2, temperature=6)
    notify_all(open_city)
    assert len(receiver.got) == 1
    assert v2.get(f"/subscriptions/{subscription_id}").json()["status"] == "inactive"


def test_throttling_holds_back_and_tells_the_latest(v2: Http, open_city: City, receiver: Receiver, clock: Any) -> None:
    subscribe(v2, {**subscription(receiver, attrsFormat="values"), "throttling": 10})
    for temperature in (1, 2, 3):
        room(v2, temperature=temperature)
        notify_all(open_city)
    assert receiver.data == [[1]]
    clock.advance(seconds=11)
    notify_all(open_city)
    assert receiver.data == [[1], [3]]


def test_subscription_is_listed_changed_and_deleted(v2: Http, broker: Http, receiver: Receiver) -> None:
    data = {**subscription(receiver), "description": "x", "expires": "2999-01-01T00:00:00Z"}
    subscription_id = subscribe(v2, data)
    reply = v2.get("/subscriptions?options=count")
    assert reply.headers["fiware-total-count"] == "1"
    (found,) = reply.json()
    assert found == {
        "id": subscription_id,
        "description": "x",
        "subject": data["subject"],
        "notification": {
            "http": {"url": receiver.url},
            "attrs": [],
            "attrsFormat": "normalized",
            "onlyChangedAttrs": False,
            "covered": False,
        },
        "expires": "2999-01-01T00:00:00.000Z",
        "status": "active",
    }
    assert broker.get("/subscriptions").json() == []
    assert v2.patch(f"/subscriptions/{subscription_id}", json={"status": "inactive"}).status_code == 204
    assert v2.get(f"/subscriptions/{subscription_id}").json() == {**found, "status": "inactive"}
    assert v2.patch(
        f"/subscriptions/{subscription_id}", json={"expires": "2001-01-01T00:00:00Z", "status": "active"}
    ).is_success
    assert v2.get(f"/subscriptions/{subscription_id}").json()["status"] == "expired"
    assert v2.delete(f"/subscriptions/{subscription_id}").status_code == 204
    for reply in (v2.get(f"/subscriptions/{subscription_id}"), v2.delete(f"/subscriptions/{subscription_id}")):
        assert (reply.status_code, reply.json()["error"]) == (404, "NotFound")


HTTP = {"http": {"url": "http://127.0.0.1:9/x"}}


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": {}},
        {"subject": {"entities": [{"type": "T"}]}},
        {"subject": {"entities": [{"id": "a", "idPattern": "b"}]}},
        {"subject": {"entities": [{"id": "a"}], "condition": {"expression": {"q": "a=="}}}},
        {"subject": {"entities": [{"id": "a"}], "condition": {"alterationTypes": ["x"]}}},
        {"subject": {"entities": [{"id": "a"}], "condition": {"attrs": "a"}}},
        {"notification": {}},
        {"notification": {**HTTP, "httpCustom": {"url": "http://127.0.0.1:9/x"}}},
        {"notification": {"http": {"url": "ftp://a"}}},
        {"notification": {"http": {"url": "http://localhost:1/v2/op/notify"}}},
        {"notification": {"httpCustom": {"url": "http://${id}/x"}}},
        {"notification": {"httpCustom": {**HTTP["http"], "method": "FLY"}}},
        {"notification": {"httpCustom": {**HTTP["http"], "headers": {"Host": "x"}}}},
        {"notification": {"httpCustom": {**HTTP["http"], "payload": "x", "json": {}}}},
        {"notification": {"mqtt": {"url": "mqtt://127.0.0.1:9"}}},
        {"notification": {**HTTP, "attrsFormat": "legacy"}},
        {"notification": {**HTTP, "attrs": ["a"], "exceptAttrs": ["b"]}},
        {"notification": {**HTTP, "covered": True}},
        {"notification": {**HTTP, "maxFailsLimit": 0}},
        {"throttling": -1},
        {"expires": "soon"},
        {"status": "odd"},
        {"description": "x" * 1025},
        {"more": 1},
    ],
    ids=str,
)
def test_subscription_that_breaks_a_rule_is_a_bad_request(v2: Http, wrong: Any) -> None:
    data = {"subject": {"entities": [{"id": "a"}]}, "notification": HTTP, **wrong}
    reply = v2.post("/subscriptions", json=data)
    assert (reply.status_code, reply.json()["error"]) == (400, "BadRequest")


def test_notification_tells_what_is_granted_and_is_in_the_journal(city: City, receiver: Receiver) -> None:
    """A client's subscription, on personal entities: consent is asked when a notification leaves."""
    town = build(city, 2)
    open_city = replace(town.city, settings=replace(town.city.settings, broker_allow_hosts="127.0.0.1", port=1))
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, town.residents[:1])
    body = subscription(receiver, attrsFormat="keyValues")
    body["subject"]["entities"] = [{"idPattern": ".*", "type": "Meter"}]
    assert create(Call(open_city, client, "POST", [], {}, {}, encode(body), "application/json")).status == 201
    town.add_meter(0, town.residents[:1], 10)
    town.add_meter(1, town.residents[1:], 20)
    follow(open_city)
    city.clock.advance(seconds=1)  # type: ignore[attr-defined]  # tests own the clock
    notify_all(open_city)
    (shown,) = receiver.data
    assert shown.pop("id").startswith("urn:sanpo:entity:")
    assert shown == {"type": "Meter", "energy": 10}
    assert [use["operation"] for use in town.uses()] == ["notify"]
    assert town.uses_of_each() == [1, 0]
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    town.add_meter(2, town.residents[:1], 30)
    follow(open_city)
    city.clock.advance(seconds=1)  # type: ignore[attr-defined]  # tests own the clock
    notify_all(open_city)
    assert len(receiver.data) == 1
