"""The short way to the database gives what psycopg's own way gives, and its errors."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.statements import _MAX_PREPARED, _positional

JOBS = System("jobs")
MOMENT = datetime(2026, 4, 1, 2, 3, 4, 567890, tzinfo=UTC)
VALUES = [
    ("text", "三方 %s \\ 'quoted'"),
    ("text", ""),
    ("int", 0),
    ("int", -32769),
    ("int", 2**31 - 1),
    ("bigint", 2**62),
    ("bool", True),
    ("bytea", b"\x00\xff'%"),
    ("timestamptz", MOMENT),
    ("date", date(2026, 4, 1)),
    ("interval", timedelta(days=3, seconds=7)),
    ("int[]", [1, 2, 70000]),
    ("text[]", ["a", "b,c", '"']),
    ("bytea[]", [b"\x00", b"{}"]),
    ("float8", 0.1),
    ("text", None),
]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_value_goes_there_and_back(city: City, kind: str, value: Any) -> None:
    with city.transaction(JOBS) as tx:
        assert tx.get(f"select %(value)s::{kind} as value", value=value).value == value
        assert tx.conn.execute(f"select %(value)s::{kind} as value", {"value": value}).fetchone().value == value  # type: ignore[union-attr]


@pytest.mark.parametrize(("kind", "value"), VALUES)
def test_value_goes_there_and_back_without_a_prepared_statement(city: City, kind: str, value: Any) -> None:
    with city.transaction(JOBS) as tx:
        assert tx.all_planned(f"select %(value)s::{kind} as value", value=value)[0].value == value


def test_one_statement_serves_small_and_large_numbers(city: City) -> None:
    with city.transaction(JOBS) as tx:
        for number in (1, 30_000, 40_000, 2**31 - 1):
            assert tx.get("select %(n)s::int as n", n=number).n == number
        prepared = "select count(*) as n from pg_prepared_statements where statement like 'select $1::int as n%%'"
        assert tx.get(prepared).n == 1


def test_statements_are_forgotten_before_they_become_too_many(city: City) -> None:
    with city.transaction(JOBS) as tx:
        for number in range(_MAX_PREPARED + 2):
            assert tx.get(f"select {number} as n").n == number
        assert tx.get("select count(*) as n from pg_prepared_statements where name like 'short%%'").n <= _MAX_PREPARED


def test_rows_are_named_touched_and_absent(city: City) -> None:
    with city.transaction(JOBS) as tx:
        tx.execute("create temporary table drawer (a int, b bytea) on commit drop")
        assert tx.execute("insert into drawer select n, %(b)s from generate_series(1, 3) n", b=b"x") == 3
        assert [row.a for row in tx.all("select a from drawer order by a")] == [1, 2, 3]
        assert tx.one("select a from drawer where a = %(a)s", a=9) is None
        assert [row.b for row in tx.all_binary("select b from drawer where a < 3")] == [b"x", b"x"]
        with pytest.raises(LookupError):
            tx.get("select a from drawer where a = %(a)s", a=9)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select 1 / %(n)s as n", psycopg.errors.DivisionByZero),
        ("select * from nowhere where n = %(n)s", psycopg.errors.UndefinedTable),
        ("selec %(n)s", psycopg.errors.SyntaxError),
    ],
)
def test_error_is_psycopgs_own(city: City, sql: str, error: type[Exception]) -> None:
    with pytest.raises(error), city.transaction(JOBS) as tx:
        tx.get(sql, n=0)


@given(st.lists(st.sampled_from(["a", "b", "long_name"]), max_size=6))
def test_each_name_has_one_number(names: list[str]) -> None:
    text, found = _positional(" ".join(f"%({name})s 100%%" for name in names))
    assert list(found) == list(dict.fromkeys(names))
    assert text == " ".join(f"${found.index(name) + 1} 100%" for name in names)


def test_lone_percent_is_refused() -> None:
    with pytest.raises(ValueError, match="single %"):
        _positional("select 5 % 2")


def test_statements_outlive_a_rollback_and_what_psycopg_does_beside_them(city: City) -> None:
    rows = [{"n": number} for number in range(12)]
    for _ in range(8):
        with pytest.raises(ZeroDivisionError), city.transaction(JOBS) as tx:
            tx.execute("create temporary table drawer (n int) on commit drop")
            tx.execute_many("insert into drawer (n) values (%(n)s)", rows)
            assert tx.get("select count(*) as n from drawer").n == 12
            raise ZeroDivisionError
