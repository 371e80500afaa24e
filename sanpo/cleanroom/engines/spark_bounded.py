"""Bounding for differential privacy on Spark Connect: what `bounded` says in SQL, as data frames. Pure.

The order that decides which rows of a subject count is arithmetic on whole numbers below 2^63, so that every engine
takes the same rows.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import reduce
from operator import add, and_
from typing import Any

import pyarrow as pa

from sanpo.cleanroom.domains import Key
from sanpo.cleanroom.engines.bounded import MIX, PRIME, WORD, factors_of
from sanpo.cleanroom.engines.spark_client import F, W
from sanpo.cleanroom.private import Bounding

Frame = Any
Expr = Any


def bounded_frame(session: Any, source: Frame, keys: Sequence[Key], bounding: Bounding) -> Frame:
    """By declared cell: `cell_no`, `rows`, `subjects`, then for each value its sum and its count (`s0`, `n0`, …).

    `source` has `k0` …, `subject_no`, `moment` and `v0` … (whole numbers: the columns of `bounding.ends`, in order).
    """
    values = [f"v{at}" for at in range(len(bounding.ends))]
    row = ["subject_no", "moment", "cell_no", *values]
    placed = _placed(session, source, keys).select(*row)
    order = [F.col(name).asc_nulls_last() for name in ("mixed", *row[1:])]
    turn = F.row_number().over(W.Window.partitionBy("subject_no").orderBy(*order))
    numbered = _with_order(placed, row, bounding.seed).withColumn("row_turn", turn)
    # Otherwise the bound on cells says no more than that on rows, or than that there are no more cells.
    is_cell_bound = bounding.most_cells < min(bounding.contribution_rows, len(keys))
    few = _few_cells(numbered, bounding.most_cells) if is_cell_bound else numbered
    kept = few.where(F.col("row_turn") <= F.lit(bounding.contribution_rows))
    told = [part for at, ends in enumerate(bounding.ends.values()) for part in _told(at, ends)]
    return kept.groupBy("cell_no").agg(
        F.count(F.lit(1)).alias("rows"), F.count_distinct(F.col("subject_no")).alias("subjects"), *told
    )


def _placed(session: Any, source: Frame, keys: Sequence[Key]) -> Frame:
    """The rows of declared cells, with the cell's number."""
    parts = range(len(keys[0]))
    table = {f"d{place}": _values([key[place] for key in keys]) for place in parts}
    declared = session.createDataFrame(pa.table({"cell_no": pa.array(range(len(keys)), pa.int32()), **table}))
    if not parts:
        return source.crossJoin(declared)
    on = (F.col(f"k{place}") == _plain(table[f"d{place}"].type, F.col(f"d{place}")) for place in parts)
    return source.join(declared, reduce(and_, on), "inner")


def _values(values: list[Any]) -> pa.Array:
    """Moments go as UTC: a moment without a zone would be taken in the server's."""
    return pa.array([each.replace(tzinfo=UTC) if isinstance(each, datetime) else each for each in values])


def _plain(type: pa.DataType, column: Expr) -> Expr:
    return column.cast("timestamp_ntz") if pa.types.is_timestamp(type) else column


def _with_order(frame: Frame, row: Sequence[str], seed: str) -> Frame:
    """`bounded.mix` as a column."""

    def below_prime(name: str) -> Expr:
        number = F.coalesce(F.col(name).cast("bigint"), F.lit(0).cast("bigint")) % F.lit(PRIME)
        return (number + F.lit(PRIME)) % F.lit(PRIME)

    def once(column: Expr) -> Expr:
        return (column.bitwiseXOR(F.shiftright(column, 16)) * F.lit(MIX).cast("bigint")) % F.lit(WORD)

    parts = (
        below_prime(name) * F.lit(factor).cast("bigint")
        for name, factor in zip(row, factors_of(seed, len(row)), strict=True)
    )
    mixed = frame.withColumn("m0", reduce(add, parts) % F.lit(PRIME))
    mixed = mixed.withColumn("m1", once(F.col("m0"))).withColumn("m2", once(F.col("m1")))
    return mixed.withColumn("mixed", F.col("m2").bitwiseXOR(F.shiftright("m2", 16)))


def _few_cells(numbered: Frame, most: int) -> Frame:
    """Keeps the first cells of each subject and numbers the rows that are left anew."""
    first = F.min("row_turn").over(W.Window.partitionBy("subject_no", "cell_no"))
    cells = numbered.withColumn("first_turn", first)
    turn = F.dense_rank().over(W.Window.partitionBy("subject_no").orderBy("first_turn"))
    few = cells.withColumn("cell_turn", turn).where(F.col("cell_turn") <= F.lit(most))
    return few.withColumn("row_turn", F.row_number().over(W.Window.partitionBy("subject_no").orderBy("row_turn")))


def _told(at: int, ends: tuple[int, int]) -> tuple[Expr, Expr]:
    value = F.col(f"v{at}").cast("bigint")
    low, high = (F.lit(end).cast("bigint") for end in ends)
    clamped = F.when(value.isNotNull(), F.greatest(F.least(value, high), low))
    return F.sum(clamped.cast("decimal(20, 0)")).alias(f"s{at}"), F.count(value).alias(f"n{at}")
