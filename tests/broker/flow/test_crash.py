"""Kill -9 at any step of a move: the next turn finishes it, and nothing is lost or there twice."""

from typing import Any

import pytest

from sanpo import app
from sanpo.broker.entities import Place
from sanpo.broker.flow.moving import flow
from sanpo.broker.sight import DUTY, OPEN
from sanpo.broker.temporal import evolutions, recording
from sanpo.broker.temporal.model import Span
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.lake import histories
from tests.conftest import START
from tests.lake.upkeep.dying import killed_at

pytestmark = pytest.mark.long

ID, X, Y = "urn:a:b", "urn:a:x", "urn:a:y"
PLACES = (
    "before moving.append",
    "after moving.append",
    "before store.finish",
    "after store.finish",
    "before store.unstrike",
)


def move(settings: Settings) -> None:
    flow(app.open_city(settings, clock=FixedClock(START), pool=4))


def told(city: City) -> dict[str, list[Any]]:
    (doc,) = evolutions.retrieve_evolution(Place(city, OPEN), ID, Span()).docs
    return {iri: [(each["instanceId"], each["value"]) for each in found] for iri, found in doc["attrs"].items()}


def rows_in_the_lake(city: City) -> int:
    found = [histories.HistoryRange(range(1, 1_000_000))]
    return sum(histories.read_rows(city, each.name, *found).num_rows for each in histories.every_history(city))


@pytest.fixture
def place(city: City) -> Place:
    """An entity with five instances of each of two attributes, in two months long past."""
    found = Place(city, DUTY)
    days = ("2025-05-01", "2025-05-02", "2025-05-03", "2025-06-01", "2025-06-02")
    instances = [{"type": "Property", "value": n, "observedAt": f"{day}T00:00:00Z"} for n, day in enumerate(days)]
    recording.put_evolution(found, ID, {"type": ["T"], "attrs": {X: instances, Y: instances}})  # type: ignore[typeddict-item]
    return found


@pytest.mark.parametrize("where", PLACES[:4])
def test_move_cut_off_loses_and_doubles_nothing(city: City, place: Place, where: str) -> None:
    before = told(city)
    when, _, name = where.partition(" ")
    assert killed_at(city.settings, f"{when} sanpo.broker.flow.{name}", move)
    assert told(city) == before
    flow(city)
    assert told(city) == before
    assert rows_in_the_lake(city) == 10
    assert flow(city) == 0


@pytest.mark.parametrize("where", PLACES[1:4])
def test_correction_after_a_move_was_cut_off_holds(city: City, place: Place, where: str) -> None:
    before = told(city)
    when, _, name = where.partition(" ")
    assert killed_at(city.settings, f"{when} sanpo.broker.flow.{name}", move)
    recording.delete_instance(place, ID, X, before[X][0][0])
    changed = {"type": "Property", "value": 99, "observedAt": "2025-05-02T00:00:00.000000Z"}
    recording.change_instance(place, ID, X, before[X][1][0], changed)
    recording.delete_attribute_history(place, ID, Y)
    after = {X: [(before[X][1][0], 99), *before[X][2:]]}
    for _ in range(3):
        assert told(city) == after
        flow(city)
    assert rows_in_the_lake(city) == 4


def test_striking_cut_off_is_done_again(city: City, place: Place) -> None:
    flow(city)
    recording.delete_attribute_history(place, ID, Y)
    after = told(city)
    assert killed_at(city.settings, f"before sanpo.broker.flow.{PLACES[4].partition(' ')[2]}", move)
    assert told(city) == after
    flow(city)
    assert told(city) == after
    assert rows_in_the_lake(city) == 5
