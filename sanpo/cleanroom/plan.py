"""What an engine is to do, before any engine: the question, what its names mean, whose rows, and which files. Pure.

The set of admitted subjects is part of the plan, so that no engine can read a personal dataset without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sanpo.cleanroom.model import AllOf, Between, Comparison, Filter, Measure, Question
from sanpo.cleanroom.scope import Scope, Value
from sanpo.consent import Admission, check_genuine
from sanpo.lake import Snapshot

MOST_CELLS = 10_000
_SLACK = timedelta(days=2)
"""More than any zone's distance from UTC, any change of the clock, and the day that a date names."""


@dataclass(frozen=True)
class Plan:
    """`attributes` is there where the question uses one; then rows of subjects without attributes do not count.

    In the attributes' dataset each subject has at most one row.
    """

    question: Question
    scope: Scope
    rows: Snapshot
    attributes: Snapshot | None
    admission: Admission

    @property
    def subjects(self) -> npt.NDArray[np.int32]:
        """Whose rows may be read, ascending: the one way to them for every engine. Raises `AdmissionIsForged`."""
        return check_genuine(self.admission).subjects

    @property
    def is_empty(self) -> bool:
        """True where there is no row to read."""
        no_attributes = self.attributes is not None and not self.attributes.files
        return not len(self.subjects) or not self.rows.files or no_attributes


@dataclass(frozen=True)
class Cell:
    """One cell as the engine found it. It must not leave the clean room but through `disclosure`.

    `values` follow the question's measures (None at `subjects`, which disclosure counts itself); `filled` tells for
    each how many of the `rows` have a value; `subjects` has bit 7 − n % 8 of byte n // 8 set for each subject n.
    """

    key: tuple[Value | None, ...]
    values: tuple[int | float | None, ...]
    filled: tuple[int, ...]
    rows: int
    subjects: bytes


def datasets_used(question: Question, scope: Scope) -> dict[str, frozenset[str]]:
    """Each dataset that the question touches with the columns it touches there: what the gate is asked to admit."""
    used = {scope.dataset.name: frozenset(n for n in question.columns if scope.side(n) == "rows")}
    if scope.attributes is not None:
        names = frozenset(n for n in question.columns if scope.side(n) == "attributes")
        if names:
            used[scope.attributes.name] = names
    return used


def make_plan(question: Question, scope: Scope, snapshots: Mapping[str, Snapshot], admission: Admission) -> Plan:
    """The plan over these snapshots (one for each dataset used)."""
    attributes = None if scope.attributes is None else snapshots.get(scope.attributes.name)
    return Plan(question, scope, snapshots[scope.dataset.name], attributes, admission)


def measured_columns(question: Question) -> tuple[str, ...]:
    """The columns that are measured, each once, in order."""
    return tuple(dict.fromkeys(m.column for m in question.measures if m.column is not None))


def filled_of(measure: Measure, rows: int, filled: Mapping[str, int]) -> int:
    """How many rows of a cell have a value for this measure."""
    return rows if measure.column is None else filled[measure.column]


def time_span(question: Question, scope: Scope, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Instants between which the rows lie that can pass the filter, with slack: what the lake may leave unread."""
    lows: list[datetime] = []
    highs: list[datetime] = []
    parts = question.filter.parts if isinstance(question.filter, AllOf) else (question.filter,)
    for part in parts:
        for operator, value in _bounds(part, scope):
            if operator in (">", ">=", "="):
                lows.append(value)
            if operator in ("<", "<=", "="):
                highs.append(value)
    since = max(lows).replace(tzinfo=zone).astimezone(UTC) - _SLACK if lows else None
    until = min(highs).replace(tzinfo=zone).astimezone(UTC) + _SLACK if highs else None
    return since, until


def _bounds(part: Filter | None, scope: Scope) -> list[tuple[str, datetime]]:
    """The bounds that one condition sets to the dataset's time; none where it sets none."""
    if not isinstance(part, Comparison | Between):
        return []
    term = part.term
    if term.column != scope.dataset.time_column or term.bucket not in (None, "date"):
        return []
    ends = [(">=", part.low), ("<=", part.high)] if isinstance(part, Between) else [(part.op, part.value)]
    moments = [(operator, _midnight(scope.value(term, literal))) for operator, literal in ends]
    return [(operator, moment) for operator, moment in moments if moment is not None and 1 < moment.year < 9999]


def _midnight(value: Value) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else None  # noqa: DTZ001 (local)
