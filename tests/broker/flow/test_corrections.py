"""Corrections of what has flowed (ETSI GS CIM 009 §5.6.13 to §5.6.16): seen at once, out of the lake at the next turn."""

from typing import Any

import pytest

from sanpo.broker.entities import Place, create_entity, delete_entity
from sanpo.broker.errors import AttributeNotFound, EntityIsInvalid, EntityNotFound
from sanpo.broker.flow.moving import flow
from sanpo.broker.sight import DUTY, OPEN
from sanpo.broker.temporal import evolutions, recording
from sanpo.broker.temporal.errors import InstanceNotFound
from sanpo.broker.temporal.model import Span
from sanpo.ground.city import City
from sanpo.lake import histories

ID, X, Y = "urn:a:b", "urn:a:x", "urn:a:y"
OTHER = "urn:d:1"


def told(city: City) -> dict[str, list[Any]]:
    (doc,) = evolutions.retrieve_evolution(Place(city, OPEN), ID, Span()).docs
    return {iri: [each["value"] for each in found] for iri, found in doc["attrs"].items()}


def names(city: City) -> list[str]:
    (doc,) = evolutions.retrieve_evolution(Place(city, OPEN), ID, Span()).docs
    return [each["instanceId"] for each in doc["attrs"][X]]


def rows_in_the_lake(city: City) -> int:
    wanted = histories.HistoryRange(range(1, 1_000_000))
    return sum(histories.read_rows(city, each.name, wanted).num_rows for each in histories.every_history(city))


@pytest.fixture
def place(city: City) -> Place:
    """A history of which all has flowed: x with three instances and two of another dataset, y with one."""
    found = Place(city, DUTY)
    x: list[Any] = [{"type": "Property", "value": n, "observedAt": f"2025-0{n}-01T00:00:00Z"} for n in (1, 2, 3)]
    x += [{**each, "value": each["value"] + 10, "datasetId": OTHER} for each in x[:2]]
    told: Any = {"type": ["T"], "attrs": {X: x, Y: x[:1]}}
    recording.put_evolution(found, ID, told)
    assert flow(city) == 6
    return found


def test_deleted_instance_is_gone(city: City, place: Place) -> None:
    gone = names(city)[0]
    recording.delete_instance(place, ID, X, gone)
    assert told(city)[X] == [11, 2, 12, 3]
    with pytest.raises(InstanceNotFound):
        recording.delete_instance(place, ID, X, gone)
    flow(city)
    assert told(city)[X] == [11, 2, 12, 3]
    assert rows_in_the_lake(city) == 5


def test_changed_instance_comes_back_and_flows_again(city: City, place: Place) -> None:
    name = names(city)[0]
    for value in (50, 51):
        recording.change_instance(place, ID, X, name, {"type": "Property", "value": value})
        assert told(city)[X] == [value, 11, 2, 12, 3]
        assert names(city)[0] == name
        flow(city)
        assert told(city)[X] == [value, 11, 2, 12, 3]
        assert rows_in_the_lake(city) == 6
    with pytest.raises(EntityIsInvalid):
        recording.change_instance(place, ID, X, name, {"type": "Property", "value": "urn:ngsi-ld:null"})


def test_deleted_attribute_is_gone(city: City, place: Place) -> None:
    recording.delete_attribute_history(place, ID, X, dataset_id=OTHER)
    assert told(city) == {X: [1, 2, 3], Y: [1]}
    recording.delete_attribute_history(place, ID, X, every=True)
    assert told(city) == {Y: [1]}
    with pytest.raises(AttributeNotFound):
        recording.delete_attribute_history(place, ID, X)
    flow(city)
    assert told(city) == {Y: [1]}
    assert rows_in_the_lake(city) == 1


def test_deleted_history_is_gone_and_a_new_one_begins_empty(city: City, place: Place) -> None:
    recording.delete_evolution(place, ID)
    for _ in range(2):
        with pytest.raises(EntityNotFound):
            told(city)
        with pytest.raises(EntityNotFound):
            recording.delete_evolution(place, ID)
        flow(city)
    assert rows_in_the_lake(city) == 0
    again: Any = {"type": ["T"], "attrs": {X: [{"type": "Property", "value": 7, "observedAt": "2025-02-01T00:00:00Z"}]}}
    recording.put_evolution(place, ID, again)
    flow(city)
    assert told(city) == {X: [7]}


def test_history_of_a_deleted_entity_stays_in_the_lake(city: City, place: Place) -> None:
    now = place.now()
    present: Any = {"type": "Property", "value": 4, "createdAt": now, "modifiedAt": now}
    create_entity(place, {"id": ID, "type": ["T"], "createdAt": now, "modifiedAt": now, "attrs": {Y: [present]}})
    delete_entity(place, ID)
    assert told(city)[X] == [1, 11, 2, 12, 3]
