"""A walk through NGSI-LD with ngsildclient, in the clients' own environment. Its argument is the address."""

import sys
from urllib.parse import urlsplit

from ngsildclient import Client, Entity


def car(number: int) -> Entity:
    entity = Entity("Car", f"Car:{number}")
    entity.prop("speed", 50 + number, unitcode="KMH")
    entity.gprop("location", (37.5, 139.9 + number / 100))
    entity.rel("parkedAt", "Parking:1")
    return entity


def main(address: str) -> None:
    parts = urlsplit(address)
    client = Client(parts.hostname, parts.port)
    assert client.is_connected()
    entities(client)
    batches(client)
    print("done: entities, queries, types, batches, deletion")  # the test reads it


def entities(client: Client) -> None:
    assert client.create(car(1))
    found = client.get("urn:ngsi-ld:Car:1")
    assert (found.type, found["speed.value"], found["parkedAt.object"]) == ("Car", 51, "urn:ngsi-ld:Parking:1")
    found["speed.value"] = 80
    assert client.update(found)
    assert client.get("urn:ngsi-ld:Car:1")["speed.value"] == 80
    assert client.exists("urn:ngsi-ld:Car:1")
    assert not client.exists("urn:ngsi-ld:Car:9")


def batches(client: Client) -> None:
    client.upsert([car(1), car(2), car(3)])
    assert client.count(type="Car") == 3
    assert [each.id for each in client.query_all(type="Car", q="speed>51")] == [
        "urn:ngsi-ld:Car:2",
        "urn:ngsi-ld:Car:3",
    ]
    assert "Car" in client.list_types()
    assert client.delete("urn:ngsi-ld:Car:3")
    client.drop("Car")
    assert client.count(type="Car") == 0


if __name__ == "__main__":
    main(sys.argv[1])
