"""Made-up rows and bounds for tests of differential privacy, and the statement over them in DuckDB."""

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa
from hypothesis import strategies as st

from sanpo.cleanroom.domains import Key
from sanpo.cleanroom.engines.bounded import Row, bounded_cells, declared_table, to_bounded
from sanpo.cleanroom.private import BoundedCells, Bounding

KEYS: tuple[Key, ...] = tuple((area, hour) for area in ("中央", "港") for hour in range(3))
WHOLES = st.integers(-12, 12)
FAR = st.integers(-(2**62), 2**62)


@st.composite
def rows(draw: st.DrawFn, *, subjects: int = 5) -> list[Row]:
    """Rows of few subjects: declared and other keys, moments that repeat or are missing, values that are missing or far
    outside of any ends."""
    row = st.tuples(
        st.sampled_from([*KEYS, *KEYS, ("elsewhere", 0), ("港", 3)]),
        st.integers(0, subjects - 1),
        st.none() | st.integers(-3, 3) | FAR,
        st.tuples(st.none() | WHOLES | FAR, st.none() | WHOLES),
    )
    return draw(st.lists(row, min_size=draw(st.sampled_from([0, 12, 30])), max_size=40))


@st.composite
def boundings(draw: st.DrawFn) -> Bounding:
    """Tight and loose bounds, with ends of either sign."""
    ends = st.tuples(st.integers(-9, 9), st.integers(1, 9)).map(lambda pair: (pair[0], pair[0] + pair[1]))
    return Bounding(
        contribution_rows=draw(st.integers(1, 9)),
        most_cells=draw(st.integers(1, 5)),
        ends={"energy_wh": draw(ends), "total_wh": draw(ends)},
        seed=draw(st.text("ab", max_size=3)),
    )


def source_table(found: Sequence[Row]) -> pa.Table:
    """The rows as an engine's select would give them."""
    return pa.table(
        {
            "k0": pa.array([key[0] for key, *_ in found], pa.string()),
            "k1": pa.array([key[1] for key, *_ in found], pa.int64()),
            "subject_no": pa.array([subject for _, subject, *_ in found], pa.int32()),
            "moment": pa.array([moment for _, _, moment, _ in found], pa.int64()),
            "v0": pa.array([values[0] for *_, values in found], pa.int64()),
            "v1": pa.array([values[1] for *_, values in found], pa.int64()),
        }
    )


def bound_by_duckdb(
    connection: duckdb.DuckDBPyConnection, found: Sequence[Row], keys: Sequence[Key], bounding: Bounding
) -> BoundedCells:
    """What DuckDB makes of the rows."""
    params: dict[str, Any] = {}

    def bind(value: Any) -> str:
        params[f"p{len(params)}"] = value
        return f"$p{len(params) - 1}"

    connection.register("given", source_table(found))
    connection.register("declared", declared_table(keys))
    sql = to_bounded("select * from given", keys, bounding, bind)
    return bounded_cells(connection.execute(sql, params).fetchall(), keys, bounding)
