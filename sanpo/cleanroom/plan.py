"""What an engine is to do, before any engine: the question, what its names mean, whose rows, and which files. Pure.

The set of admitted subjects is part of the plan, so that no engine can read a personal dataset without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from sanpo.cleanroom.model import SUBJECT, AllOf, Between, Comparison, Filter, Measure, Question
from sanpo.cleanroom.scope import ATTRIBUTES, ROWS, Joined, Scope, Value
from sanpo.consent import Admission, check_genuine
from sanpo.lake import Snapshot

MOST_CELLS = 10_000
LOWEST_QUANTILE, HIGHEST_QUANTILE = 0.05, 0.95
"""Outside of these a quantile of a small cell is close to one person's value."""
_SLACK = timedelta(days=2)
"""More than any zone's distance from UTC, any change of the clock, and the day that a date names."""


@dataclass(frozen=True)
class Limits:
    """What the rule wants of the engine: ends of extreme values by column, and of how many subjects the share of the
    largest is asked for (0: not asked)."""

    clamps: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    largest: int = 0

    def ends_of(self, measure: Measure) -> tuple[int, int] | None:
        """Between which ends the measure is told, where it is extreme and the rule sets them."""
        return self.clamps.get(measure.column or "") if is_extreme(measure) else None


@dataclass(frozen=True)
class Plan:
    """`attributes` is there where the question uses one; then rows of subjects without attributes do not count.

    In the attributes' dataset each subject has at most one row. `joined` are the joins with their snapshots, in order.
    """

    question: Question
    scope: Scope
    rows: Snapshot
    attributes: Snapshot | None
    admission: Admission
    joined: tuple[tuple[Joined, Snapshot], ...] = ()
    limits: Limits = Limits()
    only: bytes | None = None

    @property
    def subjects(self) -> npt.NDArray[np.int32]:
        """Whose rows may be read, ascending: the one way to them for every engine. Raises `AdmissionIsForged`.

        `only` (bit 7 − n % 8 of byte n // 8 for subject n) can take subjects out of the admitted ones, never add any.
        """
        admitted = check_genuine(self.admission).subjects
        if self.only is None:
            return admitted
        flags = np.unpackbits(np.frombuffer(self.only, dtype=np.uint8))
        inside = admitted[admitted < len(flags)]
        kept: npt.NDArray[np.int32] = inside[flags[inside] == 1]
        return kept

    @property
    def snapshots(self) -> tuple[Snapshot, ...]:
        """All that is read."""
        attributes = () if self.attributes is None else (self.attributes,)
        return (self.rows, *attributes, *(snapshot for _, snapshot in self.joined))

    @property
    def is_empty(self) -> bool:
        """True where there is no row to read."""
        return not len(self.subjects) or not all(snapshot.files for snapshot in self.snapshots)


@dataclass(frozen=True)
class Cell:
    """One cell as the engine found it. It must not leave the clean room but through `disclosure`.

    `values` follow the question's measures (None at `subjects`, which disclosure counts itself); `filled` tells for
    each how many of the `rows` have a value; `subjects` has bit 7 − n % 8 of byte n // 8 set for each subject n.
    `largest` tells, where the plan's limits ask, which share (0 to 1) of the sum of absolute values its largest subjects
    hold; None for a measure without a column, or of nothing but zeros.
    """

    key: tuple[Value | None, ...]
    values: tuple[int | float | None, ...]
    filled: tuple[int, ...]
    rows: int
    subjects: bytes
    largest: tuple[float | None, ...] = ()


def datasets_used(question: Question, scope: Scope) -> dict[str, frozenset[str]]:
    """Each dataset that the question touches with the columns it touches there: what the gate is asked to admit.

    The first is the question's own; a join touches its keys and what its columns are made from.
    """
    used: dict[str, set[str]] = {scope.dataset.name: set()}
    lefts = {match.left.column for joined in scope.joined for match in joined.on}
    names = question.columns | (lefts - {SUBJECT})
    for name in names:
        place = scope.place(name)
        if place.side in (ROWS, ATTRIBUTES):
            used.setdefault(scope.dataset_of(name).name, set()).add(place.column.name)
    for joined in scope.joined:
        touched = used.setdefault(joined.dataset.name, set())
        touched |= _keys_of(joined) | _columns_from(joined, names, scope)
    return {name: frozenset(columns) for name, columns in used.items()}


def _keys_of(joined: Joined) -> set[str]:
    keys = {key.name: key.column for key in joined.dataset.keys}
    return {keys[name] for name in joined.join.on} - {SUBJECT}


def _columns_from(joined: Joined, names: frozenset[str], scope: Scope) -> set[str]:
    if joined.join.columns:
        return {each.column for each in joined.join.columns if each.column is not None}
    places = [scope.place(name) for name in names]
    return {place.column.name for place in places if place.side == joined.name}


def make_plan(
    question: Question,
    scope: Scope,
    snapshots: Mapping[str, Snapshot],
    admission: Admission,
    limits: Limits | None = None,
) -> Plan:
    """The plan over these snapshots (one for each dataset used)."""
    lefts = {match.left.column for joined in scope.joined for match in joined.on}
    by_attributes = any(scope.side(name) == ATTRIBUTES for name in question.columns | lefts)
    attributes = snapshots[scope.attributes.name] if by_attributes and scope.attributes is not None else None
    joined = tuple((each, snapshots[each.dataset.name]) for each in scope.joined)
    rows = snapshots[scope.dataset.name]
    return Plan(question, scope, rows, attributes, admission, joined, limits or Limits())


def measured_columns(question: Question) -> tuple[tuple[str, ...], ...]:
    """What rows must have to count for a measure (one column, or a correlation's two), each once, in order."""
    return tuple(dict.fromkeys(measure.columns for measure in question.measures if measure.columns))


def is_extreme(measure: Measure) -> bool:
    """Whether it tells one person's value, or nearly: a minimum, a maximum, or a quantile next to them."""
    is_outer = measure.q is not None and not LOWEST_QUANTILE <= measure.q <= HIGHEST_QUANTILE
    return is_outer or measure.function in ("min", "max")


def filled_of(measure: Measure, rows: int, filled: Mapping[tuple[str, ...], int]) -> int:
    """How many rows of a cell have a value for this measure."""
    return filled[measure.columns] if measure.columns else rows


def time_span(question: Question, scope: Scope, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
    """Instants between which the rows lie that can pass the filter, with slack: what the lake may leave unread.

    None where the dataset is also joined to itself: then its other rows count as well.
    """
    if any(joined.dataset.name == scope.dataset.name for joined in scope.joined):
        return None, None
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
    if term.column != scope.dataset.time_column or term.bucket not in (None, "date") or term.band is not None:
        return []
    ends = [(">=", part.low), ("<=", part.high)] if isinstance(part, Between) else [(part.op, part.value)]
    moments = [(operator, _midnight(scope.value(term, literal))) for operator, literal in ends]
    return [(operator, moment) for operator, moment in moments if moment is not None and 1 < moment.year < 9999]


def _midnight(value: Value) -> datetime | None:
    if isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day) if isinstance(value, date) else None  # noqa: DTZ001 (local)
