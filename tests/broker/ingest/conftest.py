"""Mappings written as files, and what the broker then holds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.city import City

METERS = """
name = "meters"

[payload]
format = "csv"

[entity]
id = "urn:ngsi-ld:Meter:{meter_id}"
type = "Meter"

[time]
field = "start"

[[attributes]]
name = "energy"
value = "kwh"
scale = 1000
unitCode = "WHR"
"""
ROOMS = """
name = "rooms"

[mqtt]
server = "mqtt://user@127.0.0.1:{port}"
topic = "city/{{building}}/+/rooms/{{room}}/#"
version = "{version}"

[payload]
records = "$.readings[*]"

[entity]
id = "urn:ngsi-ld:Room:{{building}}:{{room}}"
type = "Room"

[time]
field = "$.at"
format = "epochS"

[[attributes]]
name = "temperature"
value = "$.values.t"
unitCode = "CEL"

[[attributes]]
name = "isOpen"
value = "$.open"
kind = "boolean"
optional = true

[[attributes]]
name = "isPartOf"
object = "urn:ngsi-ld:Building:{{building}}"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "mappings"
    found.mkdir()
    return found


@pytest.fixture
def open_city(city: City, folder: Path) -> City:
    return replace(city, settings=replace(city.settings, broker_open=True, broker_mappings=str(folder)))


@pytest.fixture
def history(broker: TestClient[Any]) -> Callable[[str, str], list[tuple[float, str]]]:
    """All values of an attribute with their times, oldest first."""

    def read(entity_id: str, attribute: str) -> list[tuple[float, str]]:
        params = {"options": "temporalValues", "timerel": "after", "timeAt": "2000-01-01T00:00:00Z"}
        reply = broker.get(f"/temporal/entities/{entity_id}", params=params)
        return [(value, at) for value, at in reply.json()[attribute]["values"]] if reply.status_code == 200 else []

    return read
