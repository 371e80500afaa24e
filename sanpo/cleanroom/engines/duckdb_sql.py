"""The plan as one statement of DuckDB, with every literal bound as a parameter and every name quoted. Pure.

Consent is an inner join with the relation `admitted(subject_no)`. Who is in a cell is a bitmap that is built in the
same pass: it counts distinct subjects exactly and names them to the journal. Measured (5.8 million rows, 15,000
subjects, by area and hour, CPU of one core): 183 ms, against 278 ms with count(distinct) and 257 ms with partial
results for each subject; by area and each hour of 8 days 330 ms, against 1,152 and 1,303 ms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sanpo.cleanroom.domains import Key
from sanpo.cleanroom.engines.bounded import to_bounded
from sanpo.cleanroom.model import (
    SUBJECT,
    AllOf,
    Among,
    AnyOf,
    Between,
    Comparison,
    Derived,
    Filter,
    IsNull,
    Measure,
    Not,
    Scalar,
    Term,
)
from sanpo.cleanroom.plan import MOST_CELLS, Plan, measured_columns
from sanpo.cleanroom.private import Bounding
from sanpo.cleanroom.scope import ATTRIBUTES, ROWS, Joined
from sanpo.lake import Snapshot

_BUCKETS: dict[str, Callable[[str], str]] = {
    "hour": "hour({})".format,
    "half_hour": "(hour({0}) * 2 + minute({0}) // 30)".format,
    "date": "{}::date".format,
    "weekday": "isodow({})".format,
    "week": "week({})".format,
    "month": "month({})".format,
}
_UNITS = {
    unit: f"date_trunc('{unit}', {{}}::timestamp)".format
    for unit in ("hour", "day", "week", "month", "quarter", "year")
}
_SIDES = {ROWS: "r", ATTRIBUTES: "h"}


@dataclass
class Statement:
    """SQL text and its parameters. Columns: key, values, counts of measured columns, rows, bitmap, largest shares."""

    sql: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    far: dict[str, Snapshot] = field(default_factory=dict)
    """By name of a relation in the text: what lies in an object store, which DuckDB is not let reach by itself."""

    def bind(self, value: Any) -> str:
        """A place for this value in the text."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"${name}"


def to_statement(plan: Plan) -> Statement:
    """The one statement that answers the plan."""
    made = Statement()
    keys = [_term(plan, dimension.term, made) for dimension in plan.question.dimensions]
    values = [_measure(plan, measure, made) for measure in plan.question.measures]
    filled = [_counted(plan, columns) for columns in measured_columns(plan.question)]
    first, last = made.bind(0), made.bind(plan.admission.universe - 1)
    bitmap = f"bitstring_agg(r.{SUBJECT}, {first}, {last})::blob"
    made.sql = " ".join(
        [
            f"select {', '.join([*keys, *values, *filled, 'count(*)', bitmap])}",
            *_source(plan, made),
            f"group by {', '.join(str(at + 1) for at in range(len(keys)))}" if keys else "",
            f"limit {made.bind(MOST_CELLS + 1)}",
        ]
    )
    return made


def to_holdings(plan: Plan) -> Statement:
    """How many rows of each cell each subject has. Columns: key, subject, rows."""
    made = Statement()
    keys = [_term(plan, dimension.term, made) for dimension in plan.question.dimensions]
    places = ", ".join(str(at + 1) for at in range(len(keys) + 1))
    split = ", ".join([*keys, f"r.{SUBJECT}", "count(*)"])
    made.sql = " ".join([f"select {split}", *_source(plan, made), f"group by {places}"])
    return made


def to_bounded_statement(plan: Plan, keys: Sequence[Key], bounding: Bounding) -> Statement:
    """The cells of a private answer, bounded (`bounded`); the relation `declared` names them."""
    made = Statement()
    places = enumerate(plan.question.dimensions)
    parts = [f"{_term(plan, dimension.term, made)} as k{at}" for at, dimension in places]
    moment = plan.scope.dataset.local_column or plan.scope.dataset.time_column
    parts += [f"r.{SUBJECT}", f"{f'epoch_us(r.{_quoted(moment)})' if moment else '0'}::bigint as moment"]
    parts += [f"{_column(plan, name)} as v{at}" for at, name in enumerate(bounding.ends)]
    source = " ".join([f"select {', '.join(parts)}", *_source(plan, made)])
    made.sql = to_bounded(source, keys, bounding, made.bind)
    return made


def to_shares(plan: Plan, column: str) -> Statement:
    """For each cell: the share of its largest subjects in the sum of the column's absolute values. Columns: key, share."""
    made = Statement()
    keys = [_term(plan, dimension.term, made) for dimension in plan.question.dimensions]
    names = [f"k{at}" for at in range(len(keys))]
    split = ", ".join([*(f"{key} as {name}" for key, name in zip(keys, names, strict=True)), f"r.{SUBJECT} as s"])
    places = ", ".join(str(at + 1) for at in range(len(keys) + 1))
    inner = " ".join(
        [
            f"select {split}, sum(abs({_column(plan, column)}::double)) as held",
            *_source(plan, made),
            f"group by {places}",
        ]
    )
    top = f"list_sum(max(held, {made.bind(plan.limits.largest)}))"
    made.sql = f"select {', '.join([*names, f'{top} / sum(held)'])} from ({inner}) where held > 0" + (
        f" group by {', '.join(names)}" if names else " having count(*) > 0"
    )
    return made


def _source(plan: Plan, made: Statement) -> list[str]:
    """From and where: the rows of those who may count, with all that is joined to them."""
    return [
        f"from {_files(plan.rows, made)} r",
        f"join {_subjects(plan, made)} h on h.{SUBJECT} = r.{SUBJECT}",
        *(_join(plan, joined, snapshot, made) for joined, snapshot in plan.joined),
        f"where {_condition(plan, plan.question.filter, made)}" if plan.question.filter else "",
    ]


def _files(snapshot: Snapshot, made: Statement) -> str:
    if snapshot.is_far:
        name = next((name for name, other in made.far.items() if other is snapshot), f"far_{len(made.far)}")
        made.far[name] = snapshot
        return name
    return f"read_parquet({made.bind(list(snapshot.files))}, hive_partitioning = false, union_by_name = true)"


def _subjects(plan: Plan, made: Statement) -> str:
    """Who may count: the admitted subjects, with their attributes where those are used."""
    if plan.attributes is None:
        return "admitted"
    lefts = {match.left.column for joined, _ in plan.joined for match in joined.on}
    places = [plan.scope.place(name) for name in plan.question.columns | lefts]
    names = {place.column.name for place in places if place.side == ATTRIBUTES}
    columns = ", ".join(f"b.{_quoted(name)}" for name in (SUBJECT, *sorted(names)))
    return f"(select {columns} from {_files(plan.attributes, made)} b join admitted a on a.{SUBJECT} = b.{SUBJECT})"


def _join(plan: Plan, joined: Joined, snapshot: Snapshot, made: Statement) -> str:
    """One joined dataset, at most one row for each combination of its keys."""
    alias = _alias(plan, joined.name)
    keys = [_cut(f"b.{_quoted(match.column)}", match.unit) + f" as {_key(at)}" for at, match in enumerate(joined.on)]
    derived = [f"{_derived(each)} as {stored}" for stored, each in joined.derived]
    names = () if derived else {each.stored for each in plan.scope.places.values() if each.side == joined.name}
    columns = derived or [f"b.{_quoted(name)}" for name in sorted(names)]
    admitted = f" join admitted a on a.{SUBJECT} = b.{SUBJECT}" if joined.dataset.personal else ""
    group = f" group by {', '.join(str(at + 1) for at in range(len(keys)))}" if derived else ""
    on = " and ".join(f"{alias}.{_key(at)} = {_term(plan, match.left, made)}" for at, match in enumerate(joined.on))
    inner = f"select {', '.join([*keys, *columns])} from {_files(snapshot, made)} b{admitted}{group}"
    return f"join ({inner}) {alias} on {on}"


def _derived(each: Derived) -> str:
    if each.column is None:
        return "count(*)"
    column = f"b.{_quoted(each.column)}"
    match each.function:
        case "avg":
            return f"sum({column})::double / count({column})"
        case "sum":
            return f"sum({column})::double"
        case _:
            return f"{each.function}({column})"


def _cut(column: str, unit: str | None) -> str:
    return _UNITS[unit](column) if unit else column


def _counted(plan: Plan, columns: tuple[str, ...]) -> str:
    """How many rows have a value in all of these columns."""
    first, *others = (_column(plan, name) for name in columns)
    if not others:
        return f"count({first})"
    return f"count({first}) filter ({' and '.join(f'{other} is not null' for other in others)})"


def _measure(plan: Plan, measure: Measure, made: Statement) -> str:
    if measure.column is None:
        return "count(*)" if measure.function == "count" else "null"
    return _clamped(_unbounded(plan, measure, made), plan, measure, made)


def _unbounded(plan: Plan, measure: Measure, made: Statement) -> str:
    column = _column(plan, measure.column or "")
    match measure.function:
        case "avg":
            return f"sum({column})::double / count({column})"
        case "quantile":
            return f"quantile_cont({column}::double, {made.bind(measure.q)})"
        case "variance":
            return f"var_samp({column}::double)"
        case "correlation":
            return f"corr({column}::double, {_column(plan, measure.other or '')}::double)"
        case _:
            return f"{measure.function}({column})"


def _clamped(value: str, plan: Plan, measure: Measure, made: Statement) -> str:
    ends = plan.limits.ends_of(measure)
    if ends is None:
        return value
    low, high = map(made.bind, ends)
    return f"case when {value} is not null then greatest(least({value}, {high}), {low}) end"


def _term(plan: Plan, term: Term, made: Statement) -> str:
    column = _column(plan, term.column)
    if term.band is not None:
        above = " + ".join(f"({column} >= {made.bind(edge)})::int" for edge in plan.scope.edges(term))
        return f"({above})"
    if term.bucket is None:
        return column
    return _UNITS[term.unit](column) if term.unit else _BUCKETS[term.bucket](column)


def _column(plan: Plan, name: str) -> str:
    place = plan.scope.place(name)
    return f"{_SIDES.get(place.side) or _alias(plan, place.side)}.{_quoted(place.stored)}"


def _alias(plan: Plan, name: str) -> str:
    """A name of our own for what the question calls by this one."""
    return f"j{[joined.name for joined, _ in plan.joined].index(name)}"


def _key(at: int) -> str:
    """No column of a dataset has a space in its name."""
    return _quoted(f"key {at}")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _condition(plan: Plan, filter: Filter, made: Statement) -> str:
    def value(term: Term, literal: Scalar) -> str:
        return made.bind(plan.scope.value(term, literal))

    match filter:
        case Comparison(term=term, value=literal):
            return f"{_term(plan, term, made)} {filter.op} {value(term, literal)}"
        case Among(term=term, values=literals):
            return f"{_term(plan, term, made)} in ({', '.join(value(term, each) for each in literals)})"
        case Between(term=term, low=low, high=high):
            return f"{_term(plan, term, made)} between {value(term, low)} and {value(term, high)}"
        case IsNull(term=term):
            return f"{_term(plan, term, made)} is null"
        case Not(part=part):
            return f"(not {_condition(plan, part, made)})"
        case AllOf(parts=parts):
            return "(" + " and ".join(_condition(plan, part, made) for part in parts) + ")"
        case AnyOf(parts=parts):
            return "(" + " or ".join(_condition(plan, part, made) for part in parts) + ")"
