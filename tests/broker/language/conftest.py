"""A table with the columns of `broker.entities` on the embedded server, for conditions to be tried on."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.geometry import Geometry, geometries
from sanpo.ground.embedded import Embedded

_TABLE = """
create temp table entities (entity_no bigint generated always as identity, tenant_no int not null default 1,
  entity_id text not null, types text[] not null, scopes text[], doc jsonb not null, min_x float8, max_x float8,
  min_y float8, max_y float8, created_at timestamptz not null, modified_at timestamptz not null)
"""
_ROW = """
insert into entities (entity_id, types, scopes, doc, min_x, min_y, max_x, max_y, created_at, modified_at)
values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""


def _box(places: list[Geometry]) -> tuple[float | None, ...]:
    """Least longitude and latitude, greatest longitude and latitude around all."""
    if not places:
        return (None,) * 4
    low_x, low_y, high_x, high_y = zip(*(place.box for place in places), strict=True)
    return min(low_x), min(low_y), max(high_x), max(high_y)


class Rows:
    """Entities as rows. `docs` are as the database gives them back: it is those that Python must judge alike."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn
        self.docs: list[dict[str, Any]] = []

    def keep(self, entities: list[dict[str, Any]]) -> None:
        self.conn.execute("delete from entities")
        for each in entities:
            box = _box(geometries(each))
            row = (
                each["id"],
                each["type"],
                each.get("scope"),
                Jsonb(each),
                *box,
                each["createdAt"],
                each["modifiedAt"],
            )
            self.conn.execute(_ROW, row)
        self.docs = [row[0] for row in self.conn.execute("select doc from entities order by entity_no").fetchall()]

    def fitting(self, make: Callable[[Parameters], Condition]) -> list[str]:
        """Ids of the rows that a condition lets through."""
        parameters = Parameters()
        condition = make(parameters)
        found = self.conn.execute(
            f"select entity_id from entities e where {condition.sql} order by entity_no", parameters.values
        )
        return [row[0] for row in found.fetchall()]

    def ordered(self, order: str, parameters: Parameters) -> list[str]:
        found = self.conn.execute(f"select entity_id from entities e order by {order}, entity_no", parameters.values)
        return [row[0] for row in found.fetchall()]


@pytest.fixture(scope="session")
def table(embedded: Embedded) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(_TABLE)
        yield conn


@pytest.fixture
def rows(table: psycopg.Connection[Any]) -> Rows:
    return Rows(table)
