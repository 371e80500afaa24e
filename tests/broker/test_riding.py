"""Single writes that share a transaction: each has its own outcome, as if it had come alone."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest

from sanpo.broker import attributes, entities, store
from sanpo.broker.errors import AttributeNotFound, EntityExists, EntityNotFound
from sanpo.broker.sight import DUTY
from sanpo.ground.city import City

VALUE, TYPE = "https://example.org/value", "https://example.org/Thing"
NOW = "2026-04-01T00:00:00.000000Z"


def _entity(name: str, value: Any = 0) -> Any:
    instance = {"type": "Property", "value": value, "createdAt": NOW, "modifiedAt": NOW}
    return {"id": f"urn:t:{name}", "type": [TYPE], "createdAt": NOW, "modifiedAt": NOW, "attrs": {VALUE: [instance]}}


def _set(place: entities.Place, name: str, value: Any, iri: str = VALUE) -> Any:
    return attributes.update_attribute(place, f"urn:t:{name}", iri, {"type": "Property", "value": value})


@pytest.fixture
def place(open_city: City) -> entities.Place:
    place = entities.Place(open_city, DUTY)
    for name in ("held", "a", "b"):
        entities.create_entity(place, _entity(name))
    return place


@contextmanager
def _held_up(place: entities.Place, name: str) -> Iterator[Callable[..., Future[Any]]]:
    """Submits calls that all wait in one line: the first of them for a lock that another transaction has."""
    rounds = place.city.__dict__["_broker_rides"]
    with ThreadPoolExecutor(12) as pool:
        with place.transaction() as tx:
            assert store.lock(tx, place.find_tenant_no(), f"urn:t:{name}")
            leader = pool.submit(_set, place, name, 99)
            while not rounds._lines:
                pass
            submitted = []

            def submit(call: Callable[..., Any], *given: Any) -> Future[Any]:
                before = sum(len(line) for line in rounds._lines.values())
                submitted.append(pool.submit(call, *given))
                while sum(len(line) for line in rounds._lines.values()) == before and not submitted[-1].done():
                    pass
                return submitted[-1]

            yield submit
        leader.result(20)


def test_changes_of_one_round_have_their_own_outcomes(place: entities.Place) -> None:
    with _held_up(place, "held") as submit:
        first, second = submit(_set, place, "a", 1), submit(_set, place, "a", 2)
        other = submit(_set, place, "b", 3)
        missing, without = submit(_set, place, "none", 4), submit(_set, place, "b", 5, "https://example.org/no")
    assert [each.result(20).updated for each in (first, second, other)] == [[VALUE]] * 3
    assert second.result(20).before[VALUE][0]["value"] == 1
    with pytest.raises(EntityNotFound):
        missing.result(20)
    with pytest.raises(AttributeNotFound):
        without.result(20)
    assert [entities.retrieve_entity(place, f"urn:t:{name}")["attrs"][VALUE][0]["value"] for name in "ab"] == [2, 3]


def test_what_postgresql_does_not_take_fails_alone(place: entities.Place) -> None:
    with _held_up(place, "held") as submit:
        good, bad, late = submit(_set, place, "a", 1), submit(_set, place, "b", "\x00"), submit(_set, place, "a", 2)
    assert good.result(20).updated == late.result(20).updated == [VALUE]
    with pytest.raises(psycopg.DataError):
        bad.result(20)
    assert [entities.retrieve_entity(place, f"urn:t:{name}")["attrs"][VALUE][0]["value"] for name in "ab"] == [2, 0]


def test_id_is_created_once_by_however_many(place: entities.Place) -> None:
    with ThreadPoolExecutor(12) as pool:
        tries = [pool.submit(entities.create_entity, place, _entity("new", number)) for number in range(24)]
    errors = [each.exception() for each in tries]
    made = [number for number, error in enumerate(errors) if error is None]
    assert len(made) == 1
    assert sum(isinstance(error, EntityExists) for error in errors) == 23
    assert entities.retrieve_entity(place, "urn:t:new")["attrs"][VALUE][0]["value"] == made[0]


def test_counting_by_many_loses_no_step(place: entities.Place) -> None:
    def step(doc: Any, now: str) -> Any:
        [instance] = doc["attrs"][VALUE]
        return entities.changing.partial(doc, VALUE, {"type": "Property", "value": instance["value"] + 1}, now)

    with ThreadPoolExecutor(12) as pool:
        steps = [pool.submit(entities.change_entity, place, "urn:t:a", step, (VALUE,)) for _ in range(60)]
    assert not [each.exception() for each in steps if each.exception()]
    assert entities.retrieve_entity(place, "urn:t:a")["attrs"][VALUE][0]["value"] == 60
