"""Readers while rows move, and rows that came from elsewhere."""

import threading
from typing import Any

import psycopg
import pyarrow as pa
import pytest

from sanpo.broker.entities import Place
from sanpo.broker.flow.moving import flow
from sanpo.broker.sight import DUTY, OPEN
from sanpo.broker.temporal import aggregates, evolutions, recording
from sanpo.broker.temporal.durations import Duration
from sanpo.broker.temporal.model import Aggregation, Span
from sanpo.ground.city import City
from sanpo.lake import append, histories

ID, X = "urn:a:b", "urn:a:x"
COUNT = 60


@pytest.fixture
def place(city: City) -> Place:
    """An entity with sixty old instances of one attribute."""
    found = Place(city, DUTY)
    days = [f"2025-0{1 + n // 28}-{1 + n % 28:02d}T00:00:00Z" for n in range(COUNT)]
    told: Any = [{"type": "Property", "value": n, "observedAt": day} for n, day in enumerate(days)]
    recording.put_evolution(found, ID, {"type": ["T"], "attrs": {X: told}})
    return found


def values(city: City) -> list[Any]:
    (doc,) = evolutions.retrieve_evolution(Place(city, OPEN), ID, Span()).docs
    return [each["value"] for each in doc["attrs"][X]]


def test_reader_sees_every_row_once_while_rows_move(city: City, place: Place) -> None:
    seen: list[Any] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            seen.append(values(city))
            (doc,) = aggregates.retrieve_aggregates(
                Place(city, OPEN), ID, Span(), Aggregation(("totalCount",), Duration())
            ).docs
            seen.append([*range(doc["attrs"][X][0]["totalCount"][0][0])])

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    moved = flow(city, limit=6)
    done.set()
    for each in readers:
        each.join()
    assert moved == COUNT
    assert len(seen) > 4
    assert [each for each in seen if each != [*range(COUNT)]] == []


def test_rows_of_another_citys_moves_are_nobodys_history(city: City, place: Place) -> None:
    flow(city)
    (dataset,) = [each for each in histories.every_history(city) if not each.personal]
    mine = histories.read_rows(city, dataset.name, histories.HistoryRange(range(1, 1_000_000)))
    for foreign in (0, 2**62):
        there = pa.repeat(pa.scalar(foreign, pa.int64()), mine.num_rows)
        strange = mine.set_column(mine.schema.get_field_index("flow_no"), "flow_no", there)
        append(city, dataset.name, strange.select(dataset.schema.names))
    assert values(city) == [*range(COUNT)]


def test_moves_are_numbered_from_a_place_of_each_citys_own(city: City) -> None:
    start = "select start_value from pg_sequences where schemaname = 'broker' and sequencename = 'flows_flow_no_seq'"
    with psycopg.connect(city.settings.database_owner_url) as conn:
        ((first,),) = conn.execute(start).fetchall()
    assert first >= 2**32
    assert first % 2**32 == 0
