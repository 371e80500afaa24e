"""A walk through NGSIv2 with FiLiP's `ContextBrokerClient`, in the clients' own environment. Its argument is the address."""

import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

from filip.clients.ngsi_v2 import ContextBrokerClient
from filip.models.base import FiwareHeader
from filip.models.ngsi_v2.base import NamedMetadata
from filip.models.ngsi_v2.context import (
    ActionType,
    ContextAttribute,
    ContextEntity,
    NamedContextAttribute,
    Query,
)
from filip.models.ngsi_v2.subscriptions import Subscription
from filip.utils.simple_ql import QueryString

got: list[Any] = []


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        got.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args: Any) -> None:
        pass


def wait_for(count: int) -> None:
    end = time.monotonic() + 30
    while len(got) < count:
        assert time.monotonic() < end, got
        time.sleep(0.05)


def room(number: int) -> ContextEntity:
    return ContextEntity(
        id=f"Room{number}",
        type="Room",
        temperature={"type": "Number", "value": 20 + number},
        location={"type": "geo:point", "value": f"{35 + number}, 139.7"},
    )


def entities(client: ContextBrokerClient) -> None:
    for number in range(3):
        client.post_entity(room(number))
    client.post_entity(room(0), update=True)
    assert client.does_entity_exist("Room0", "Room")
    found = client.get_entity("Room1", entity_type="Room")
    assert found.get_attribute("temperature").value == 21
    assert client.get_attribute_value("Room1", "location", entity_type="Room") == "36, 139.7"
    found.update_attribute({"temperature": ContextAttribute(type="Number", value=25)})
    client.update_entity(found)
    assert client.get_attribute_value("Room1", "temperature", entity_type="Room") == 25


def attributes(client: ContextBrokerClient) -> None:
    precise = NamedContextAttribute(
        name="humidity", type="Number", value=40, metadata=[NamedMetadata(name="accuracy", type="Number", value=0.5)]
    )
    client.update_or_append_entity_attributes("Room1", entity_type="Room", attrs=[precise])
    assert client.get_attribute("Room1", "humidity", entity_type="Room").metadata["accuracy"].value == 0.5
    client.update_attribute_value(entity_id="Room1", attr_name="humidity", entity_type="Room", value=45)
    client.update_attribute_value(entity_id="Room1", attr_name="humidity", entity_type="Room", value={"low": 1})
    assert client.get_attribute_value("Room1", "humidity", entity_type="Room") == {"low": 1}
    client.update_entity_attribute("Room1", precise, entity_type="Room")
    client.delete_entity_attribute("Room1", "humidity", entity_type="Room")
    assert set(client.get_entity_attributes("Room1", entity_type="Room")) == {"temperature", "location"}


def queries(client: ContextBrokerClient) -> None:
    assert {each.id for each in client.get_entity_list(entity_types=["Room"])} == {"Room0", "Room1", "Room2"}
    warm = client.get_entity_list(q=QueryString(qs=("temperature", ">", 21)), order_by="!temperature")
    assert [each.id for each in warm] == ["Room1", "Room2"]
    assert [each.id for each in client.get_entity_list(id_pattern="^Room[02]$")] == ["Room0", "Room2"]
    near = client.get_entity_list(georel="near;maxDistance:1000", geometry="point", coords="36,139.7")
    assert [each.id for each in near] == ["Room1"]
    asked = Query.model_validate(
        {"entities": [{"idPattern": ".*", "type": "Room"}], "expression": {"q": "temperature<21"}}
    )
    assert [each.id for each in client.query(query=asked)] == ["Room0"]


def types(client: ContextBrokerClient) -> None:
    (found,) = client.get_entity_types()
    assert (found["type"], found["count"]) == ("Room", 3)
    assert client.get_entity_type("Room")["attrs"]["location"]["types"] == ["geo:point"]


def batches(client: ContextBrokerClient) -> None:
    client.update(entities=[room(number) for number in range(3, 6)], action_type=ActionType.APPEND)
    assert len(client.get_entity_list(entity_types=["Room"])) == 6
    client.update(entities=[room(5)], action_type="delete")
    client.delete_entities([room(3), room(4)])


def subscriptions(client: ContextBrokerClient) -> None:
    server = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    asked = Subscription.model_validate(
        {
            "description": "warm rooms",
            "subject": {
                "entities": [{"idPattern": ".*", "type": "Room"}],
                "condition": {"attrs": ["temperature"], "expression": {"q": "temperature>30"}},
            },
            "notification": {
                "http": {"url": f"http://127.0.0.1:{server.server_address[1]}/"},
                "attrs": ["temperature"],
            },
            "throttling": 0,
        }
    )
    name = client.post_subscription(asked)
    assert [each.id for each in client.get_subscription_list()] == [name]
    client.update_attribute_value(entity_id="Room2", attr_name="temperature", entity_type="Room", value=31)
    wait_for(1)
    assert got[0]["subscriptionId"] == name
    assert got[0]["data"][0]["temperature"] == {"type": "Number", "value": 31, "metadata": {}}
    known = client.get_subscription(name)
    known.description = "hot rooms"
    client.update_subscription(known)
    assert client.get_subscription(name).description == "hot rooms"
    client.delete_subscription(name)
    assert client.get_subscription_list() == []


def main() -> None:
    header = FiwareHeader(service="filip", service_path="/city")
    walks = (entities, attributes, queries, types, batches, subscriptions)
    with ContextBrokerClient(url=sys.argv[1], fiware_header=header) as client:
        assert client.get_resources()["entities_url"] == "/v2/entities"
        for step in walks:
            step(client)
        for each in client.get_entity_list():
            client.delete_entity(each.id, entity_type=each.type)
        assert client.get_entity_list() == []
    print("done: " + ", ".join(step.__name__ for step in walks))


if __name__ == "__main__":
    main()
