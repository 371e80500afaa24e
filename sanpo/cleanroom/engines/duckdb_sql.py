"""The plan as one statement of DuckDB, with every literal bound as a parameter and every name quoted. Pure.

Consent is an inner join with the relation `admitted(subject_no)`. Who is in a cell is a bitmap that is built in the
same pass: it counts distinct subjects exactly and names them to the journal. Measured (5.8 million rows, 15,000
subjects, by area and hour, CPU of one core): 183 ms, against 278 ms with count(distinct) and 257 ms with partial
results for each subject; by area and each hour of 8 days 330 ms, against 1,152 and 1,303 ms.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sanpo.cleanroom.model import (
    SUBJECT,
    AllOf,
    Among,
    AnyOf,
    Between,
    Comparison,
    Filter,
    IsNull,
    Measure,
    Not,
    Scalar,
    Term,
)
from sanpo.cleanroom.plan import MOST_CELLS, Plan, measured_columns

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
_SIDES = {"rows": "r", "attributes": "h"}


@dataclass
class Statement:
    """SQL text and its parameters. Columns: key, values, count of each measured column, rows, bitmap."""

    sql: str = ""
    params: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """A place for this value in the text."""
        name = f"p{len(self.params)}"
        self.params[name] = value
        return f"${name}"


def to_statement(plan: Plan) -> Statement:
    """The one statement that answers the plan."""
    made = Statement()
    keys = [_term(plan, dimension.term) for dimension in plan.question.dimensions]
    values = [_measure(plan, measure, made) for measure in plan.question.measures]
    filled = [f"count({_column(plan, name)})" for name in measured_columns(plan.question)]
    first, last = made.bind(0), made.bind(plan.admission.universe - 1)
    bitmap = f"bitstring_agg(r.{SUBJECT}, {first}, {last})::blob"
    made.sql = " ".join(
        [
            f"select {', '.join([*keys, *values, *filled, 'count(*)', bitmap])}",
            f"from read_parquet({made.bind(list(plan.rows.files))}, hive_partitioning = false) r",
            f"join {_subjects(plan, made)} h on h.{SUBJECT} = r.{SUBJECT}",
            f"where {_condition(plan, plan.question.filter, made)}" if plan.question.filter else "",
            f"group by {', '.join(str(at + 1) for at in range(len(keys)))}" if keys else "",
            f"limit {made.bind(MOST_CELLS + 1)}",
        ]
    )
    return made


def _subjects(plan: Plan, made: Statement) -> str:
    """Who may count: the admitted subjects, with their attributes where those are used."""
    if plan.attributes is None:
        return "admitted"
    names = {name for name in plan.question.columns if plan.scope.side(name) == "attributes"}
    columns = ", ".join(f"b.{_quoted(name)}" for name in (SUBJECT, *sorted(names)))
    files = made.bind(list(plan.attributes.files))
    return (
        f"(select {columns} from read_parquet({files}, hive_partitioning = false) b"
        f" join admitted a on a.{SUBJECT} = b.{SUBJECT})"
    )


def _measure(plan: Plan, measure: Measure, made: Statement) -> str:
    if measure.column is None:
        return "count(*)" if measure.function == "count" else "null"
    column = _column(plan, measure.column)
    match measure.function:
        case "avg":
            return f"sum({column})::double / count({column})"
        case "quantile":
            return f"quantile_cont({column}::double, {made.bind(measure.q)})"
        case _:
            return f"{measure.function}({column})"


def _term(plan: Plan, term: Term) -> str:
    column = _column(plan, term.column)
    if term.bucket is None:
        return column
    return _UNITS[term.unit](column) if term.unit else _BUCKETS[term.bucket](column)


def _column(plan: Plan, name: str) -> str:
    return f"{_SIDES[plan.scope.side(name)]}.{_quoted(plan.scope.stored(name))}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _condition(plan: Plan, filter: Filter, made: Statement) -> str:
    def value(term: Term, literal: Scalar) -> str:
        return made.bind(plan.scope.value(term, literal))

    match filter:
        case Comparison(term=term, value=literal):
            return f"{_term(plan, term)} {filter.op} {value(term, literal)}"
        case Among(term=term, values=literals):
            return f"{_term(plan, term)} in ({', '.join(value(term, each) for each in literals)})"
        case Between(term=term, low=low, high=high):
            return f"{_term(plan, term)} between {value(term, low)} and {value(term, high)}"
        case IsNull(term=term):
            return f"{_term(plan, term)} is null"
        case Not(part=part):
            return f"(not {_condition(plan, part, made)})"
        case AllOf(parts=parts):
            return "(" + " and ".join(_condition(plan, part, made) for part in parts) + ")"
        case AnyOf(parts=parts):
            return "(" + " or ".join(_condition(plan, part, made) for part in parts) + ")"
