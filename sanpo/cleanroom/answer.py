"""The answer: what the asker gets. Columns, rows with their suppressed places, and what the use gave back. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sanpo.cleanroom.budgets import BudgetLeft
from sanpo.cleanroom.disclosure import Row
from sanpo.cleanroom.model import Measure, Question
from sanpo.cleanroom.private import PrivacyStatement
from sanpo.cleanroom.scope import Scope, Value
from sanpo.returns import Accrual


@dataclass(frozen=True)
class AnswerColumn:
    """`type` is int, float, text, bool, date or timestamp (local, without a zone); `unit` as the catalogue has it."""

    name: str
    type: str
    unit: str | None
    role: Literal["dimension", "measure"]


@dataclass(frozen=True)
class AnswerRow:
    """`values` follow the columns and their types. `subjects` is None where there are fewer than the minimum;
    `suppressed` names the columns whose value is withheld (a null that is not named is missing in the data). `totals`
    names the dimensions over which a margin is taken; they are null in it. `errors_95` follow the measures of a private
    answer: in 95 of 100 cells the noise is no larger."""

    values: tuple[Any, ...]
    subjects: int | None
    suppressed: tuple[str, ...]
    totals: tuple[str, ...] = ()
    errors_95: tuple[float | None, ...] | None = None


@dataclass(frozen=True)
class AnswerReturn:
    """What the use gave one side. `quantity` is null while only the recipient's report can tell; `share` is what one
    giver gets, in yen where it is `paid_in` points."""

    side: str
    metric: str
    unit: dict[str, str]
    quantity: int | None
    share: int | None
    paid_in: str | None = None


@dataclass(frozen=True)
class Answer:
    """A released answer and its record. `subjects` counts distinct residents in the released cells.

    `as_before` names an earlier answer where this one was made of its rows and subjects, because the difference since
    then would be about fewer than the minimum (`guard`). `privacy` says how a private answer was made; its `subjects`
    are all who were admitted. `budget_left` is what may still be asked under the agreement, where it sets a limit.
    """

    entry_id: str
    agreement_id: str
    agreement_sha256: str
    question: str
    snapshots: dict[str, int]
    answered_at: datetime
    columns: tuple[AnswerColumn, ...]
    rows: tuple[AnswerRow, ...]
    subjects: int
    minimum: int
    suppressed_cells: int
    returns: tuple[AnswerReturn, ...]
    timings_ms: dict[str, float]
    as_before: str | None = None
    privacy: PrivacyStatement | None = None
    budget_left: BudgetLeft | None = None


def returned(accrual: Accrual) -> AnswerReturn:
    """One side's return as the asker sees it."""
    unit = {"ja": accrual.unit_ja, "en": accrual.unit_en}
    return AnswerReturn(accrual.side, accrual.metric, unit, accrual.quantity, accrual.share, accrual.paid_in)


def columns_of(question: Question, scope: Scope) -> tuple[AnswerColumn, ...]:
    """What the answer's columns hold."""
    dimensions = [
        AnswerColumn(each.name, scope.type_of(each.term), _unit(scope, each.column, each.bucket is None), "dimension")
        for each in question.dimensions
    ]
    return (*dimensions, *(_measured(measure, scope) for measure in question.measures))


def rows_of(
    question: Question, rows: Sequence[Row], errors_95: Mapping[int, tuple[float | None, ...]] | None = None
) -> tuple[AnswerRow, ...]:
    """The released rows as the asker sees them; `errors_95` of a private answer by the row's number."""
    names = [measure.name for measure in question.measures]
    splits = [dimension.name for dimension in question.dimensions]
    return tuple(
        AnswerRow(
            values=(*row.key, *map(_encodable, row.values)),
            subjects=row.subjects,
            suppressed=tuple(name for name, hide in zip(names, row.hidden, strict=True) if hide),
            totals=tuple(name for name, total in zip(splits, row.totals, strict=False) if total),
            errors_95=(errors_95 or {}).get(row.cell_no),
        )
        for row in rows
    )


def arrange_for(question: Question) -> Callable[[Sequence[Row]], Sequence[Row]]:
    """How the question wants released rows sorted and cut. Ties, and no order at all, go by the dimensions."""
    places = [(question.names.index(order.name), order.descending) for order in question.order_by]
    keys = [(at, False) for at in range(len(question.dimensions))]

    def arrange(rows: Sequence[Row]) -> Sequence[Row]:
        sorted_rows = list(rows)
        for place, descending in reversed([*places, *keys]):
            sorted_rows = _sorted_by(sorted_rows, place, descending)
        return sorted_rows[: question.limit]

    return arrange


def _encodable(value: int | float | None) -> int | float | None:
    """A sum that no 64 bits hold leaves as the nearest float: JSON's readers have no more."""
    return float(value) if isinstance(value, int) and not -(2**63) <= value < 2**63 else value


def _sorted_by(rows: list[Row], place: int, descending: bool) -> list[Row]:
    """Stable; missing and suppressed values last."""

    def value(row: Row) -> Value | None:
        return (*row.key, *row.values)[place]

    present = [row for row in rows if value(row) is not None]
    absent = [row for row in rows if value(row) is None]
    return sorted(present, key=value, reverse=descending) + absent  # type: ignore[arg-type]


def _measured(measure: Measure, scope: Scope) -> AnswerColumn:
    unit = "persons" if measure.function == "subjects" else None
    if measure.column is not None:
        unit = _unit(scope, measure.column, True)
    return AnswerColumn(measure.name, scope.type_of_measure(measure), unit, "measure")


def _unit(scope: Scope, name: str, is_plain: bool) -> str | None:
    return scope.column(name).unit if is_plain else None
