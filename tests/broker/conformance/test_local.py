"""What is asked for here alone, and what a source is told besides (ETSI GS CIM 009 §5.5.13, §6.3.18, §6.3.19)."""

from typing import Any

from litestar.testing import TestClient

from tests.broker.registrations.conftest import Source, here, register, source

__all__ = ["here", "source"]
CAR = "urn:ngsi-ld:Car:1"


def test_local_request_asks_no_source(here: TestClient[Any], source: Source) -> None:
    """§5.5.13, §6.3.18"""
    register(here, source)
    assert here.post("/entities?local=true", json={"id": CAR, "type": "Car", "speed": 1}).status_code == 201
    assert here.get(f"/entities/{CAR}?local=true").json()["speed"]["value"] == 1
    assert [each["id"] for each in here.get("/entities?type=Car&local=true").json()] == [CAR]
    assert source.asked == []


def test_source_is_told_what_its_registration_says(here: TestClient[Any], source: Source) -> None:
    """§6.3.19: contextSourceInfo goes with each request as headers."""
    register(here, source, contextSourceInfo=[{"key": "X-Key", "value": "of the source"}])
    here.get(f"/entities/{CAR}")
    assert source.asked[0][3]["x-key"] == "of the source"
