"""The question: one small typed model with two faces, JSON (here) and SQL (`parse.py`). Pure.

A question names one dataset, joins others to its rows by declared keys so that no row is multiplied, splits the rows by
dimensions, keeps those that pass a filter and measures each cell. It can hold nothing else, so nothing else ever
reaches an engine.
"""

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from sanpo.cleanroom.errors import QuestionIsMalformed

_END = r"(?![\s\S])"
"""The end of the text, in Python and in JSON Schema alike; Python's `$` would let a line break pass."""
Name = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_]*{_END}", max_length=60)]
Reference = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?{_END}", max_length=121)]
"""A column, or `alias.column` where it lies in a joined dataset."""
OutputName = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_]*{_END}", max_length=80)]
DatasetName = Annotated[str, Meta(pattern=rf"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*{_END}", max_length=121)]
Bucket = Literal["hour", "half_hour", "date", "weekday", "week", "month", "date_trunc"]
Unit = Literal["hour", "day", "week", "month", "quarter", "year"]
Function = Literal["count", "subjects", "sum", "avg", "min", "max", "quantile", "variance", "correlation"]
DerivedFunction = Literal["count", "sum", "avg", "min", "max"]
Whole = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Text = Annotated[str, Meta(max_length=1000, pattern=r"^[^\x00]*$")]
Scalar = bool | Whole | float | Text
"""A literal. Dates and times are ISO 8601 texts without a zone: the city's local time."""

SUBJECT = "subject_no"
DEEPEST = 12
MOST_LITERALS = 500
MOST_EDGES = 50
BOUNDS = {"joins": (0, 4), "dimensions": (0, 6), "measures": (1, 12), "order_by": (0, 6)}
LARGEST = 20_000
"""Bytes of JSON. The journal keeps the text of every question that was answered."""


class Term(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column, a time bucket of one, or the band that a number falls into.

    `hour` 0–23, `half_hour` 0–47, `weekday` 1 (Monday) – 7, `week` 1–53 (ISO 8601), `month` 1–12, `date`; `date_trunc`
    gives the beginning of its `unit`. All in the city's local time. `band` holds ascending edges and gives the number
    of edges that are not above the value: 0 below the first, n from the last on (SQL's `width_bucket` over an array).
    """

    column: Reference
    bucket: Bucket | None = None
    unit: Unit | None = None
    band: tuple[Whole | float, ...] | None = None

    def __post_init__(self) -> None:
        if (self.bucket == "date_trunc") != (self.unit is not None):
            raise ValueError("`unit` belongs to the bucket `date_trunc`, which needs it")
        if self.band is None:
            return
        if self.bucket is not None:
            raise ValueError("a term has a `bucket` or a `band`, not both")
        if not 1 <= len(self.band) <= MOST_EDGES or any(a >= b for a, b in pairwise(self.band)):
            raise ValueError(f"`band` holds 1 to {MOST_EDGES} edges, each above the one before")


class Dimension(Term, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What cells are split by. `as` names it in the answer."""

    as_: Name | None = msgspec.field(default=None, name="as")

    @property
    def name(self) -> str:
        return self.as_ or (self.unit if self.bucket == "date_trunc" else self.bucket) or plain_name(self.column)

    @property
    def term(self) -> Term:
        return Term(column=self.column, bucket=self.bucket, unit=self.unit, band=self.band)


class Measure(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is told of each cell: `count` (rows), `subjects` (distinct residents), or a function of a numeric column.

    `q` is the quantile's level, 0–1; quantiles interpolate between neighbours (SQL's `percentile_cont`). `variance` is
    the sample's (n − 1). `correlation` is Pearson's between `column` and `other`, over rows that have both.
    """

    function: Function
    column: Reference | None = None
    other: Reference | None = None
    q: Annotated[float, Meta(ge=0, le=1)] | None = None
    as_: Name | None = msgspec.field(default=None, name="as")

    def __post_init__(self) -> None:
        if (self.function in ("count", "subjects")) != (self.column is None):
            raise ValueError("`column` belongs to every function but `count` and `subjects`")
        if (self.function == "quantile") != (self.q is not None):
            raise ValueError("`q` belongs to the function `quantile`, which needs it")
        if (self.function == "correlation") != (self.other is not None):
            raise ValueError("`other` belongs to the function `correlation`, which needs it")

    @property
    def name(self) -> str:
        plain = {"count": "rows", "subjects": "subjects"}
        return self.as_ or plain.get(self.function) or f"{self.function}_{plain_name(self.column or '')}"

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a row must have to count for it."""
        return tuple(name for name in (self.column, self.other) if name is not None)


class Derived(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A column made from the rows of a joined dataset that share the join's keys."""

    function: DerivedFunction
    column: Name | None = None
    as_: Name = msgspec.field(name="as")

    def __post_init__(self) -> None:
        if (self.function == "count") != (self.column is None):
            raise ValueError("`column` belongs to every function but `count`")


class Join(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A dataset that gives each row at most one row of its own, by keys that both sides declare (inner join).

    Without `columns` the dataset must be unique by these keys; with them its rows are first put together by the keys.
    A row without a match does not count.
    """

    dataset: DatasetName
    as_: Name | None = msgspec.field(default=None, name="as")
    on: Annotated[tuple[Name, ...], Meta(min_length=1, max_length=4)]
    columns: Annotated[tuple[Derived, ...], Meta(max_length=12)] = ()

    @property
    def name(self) -> str:
        return self.as_ or self.dataset.split(".")[1]


class Condition(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="op"):
    """One condition of a filter. As in SQL, a comparison with a missing value is neither true nor false."""


class Comparison(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    term: Term
    value: Scalar

    @property
    def op(self) -> str:
        return str(self.__struct_config__.tag)


class Equal(Comparison, frozen=True, tag="="):
    pass


class NotEqual(Comparison, frozen=True, tag="!="):
    pass


class Less(Comparison, frozen=True, tag="<"):
    pass


class AtMost(Comparison, frozen=True, tag="<="):
    pass


class Greater(Comparison, frozen=True, tag=">"):
    pass


class AtLeast(Comparison, frozen=True, tag=">="):
    pass


class Among(Condition, frozen=True, tag="in"):
    term: Term
    values: tuple[Scalar, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("`values` holds at least one")


class Between(Condition, frozen=True, tag="between"):
    """Both ends belong to it."""

    term: Term
    low: Scalar
    high: Scalar


class IsNull(Condition, frozen=True, tag="is_null"):
    term: Term


class Not(Condition, frozen=True, tag="not"):
    part: "Filter"


class Compound(Condition, frozen=True, kw_only=True, forbid_unknown_fields=True):
    parts: tuple["Filter", ...]

    def __post_init__(self) -> None:
        if len(self.parts) < 2:
            raise ValueError("`parts` holds at least two")


class AllOf(Compound, frozen=True, tag="and"):
    pass


class AnyOf(Compound, frozen=True, tag="or"):
    pass


Simple = Equal | NotEqual | Less | AtMost | Greater | AtLeast | Among | Between | IsNull
Filter = Simple | Not | AllOf | AnyOf
COMPARISONS: dict[str, type[Comparison]] = {
    "=": Equal, "!=": NotEqual, "<": Less, "<=": AtMost, ">": Greater, ">=": AtLeast
}  # fmt: skip


class Order(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Sorts the released answer by one of its columns; missing and suppressed values come last either way."""

    name: OutputName
    descending: bool = False


class Bound(Struct, frozen=True, forbid_unknown_fields=True):
    """Values of the column outside of [low, high] are moved to the nearer end before they count."""

    column: Reference
    low: Whole
    high: Whole

    def __post_init__(self) -> None:
        if self.low >= self.high:
            raise ValueError("`low` lies below `high`")


class Private(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True, tag="dp", tag_field="kind"
):
    """The answer is released with differential privacy: `epsilon_milli` thousandths of epsilon are spent for it."""

    epsilon_milli: Annotated[int, Meta(ge=1, le=100_000)]
    bounds: tuple[Bound, ...] = ()


class Question(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is asked. Order and limit act on the released answer, so that they tell nothing of what is suppressed.

    `totals` adds the margins: a cell for every choice of dimensions that are left out (SQL's `cube`).
    """

    dataset: DatasetName
    joins: tuple[Join, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    measures: tuple[Measure, ...]
    filter: Filter | None = None
    totals: bool = False
    order_by: tuple[Order, ...] = ()
    limit: Annotated[int, Meta(ge=1, le=10_000)] | None = None
    release: Private | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The columns of its answer, in order."""
        return (*(each.name for each in self.dimensions), *(each.name for each in self.measures))

    @property
    def terms(self) -> tuple[Term, ...]:
        """Every use of a column outside measures: dimensions first, then the filter's, as written."""
        return (*(dimension.term for dimension in self.dimensions), *(part.term for part in parts_of(self.filter)))

    @property
    def columns(self) -> frozenset[str]:
        """Every column that it touches, as it names them."""
        measured = {name for measure in self.measures for name in measure.columns}
        return frozenset(measured | {term.column for term in self.terms})


def plain_name(reference: str) -> str:
    """`alias.column` as one word."""
    return reference.replace(".", "_")


def parts_of(filter: Filter | None) -> Iterator[Simple]:
    """Every condition inside a filter that looks at a term, as written."""
    match filter:
        case None:
            return
        case Not(part=part):
            yield from parts_of(part)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            for each in parts:
                yield from parts_of(each)
        case _:
            yield filter


def literals_of(filter: Filter | None) -> Iterator[tuple[Term, Scalar]]:
    """Every literal of a filter with the term that it is compared to."""
    for part in parts_of(filter):
        match part:
            case Comparison(term=term, value=value):
                yield term, value
            case Among(term=term, values=values):
                yield from ((term, value) for value in values)
            case Between(term=term, low=low, high=high):
                yield from ((term, low), (term, high))


def is_deeper(filter: Filter | None, limit: int) -> bool:
    """Whether conditions are nested in each other more than `limit` times; looks no deeper than that."""
    match filter:
        case Not(part=part):
            return limit <= 1 or is_deeper(part, limit - 1)
        case AllOf(parts=parts) | AnyOf(parts=parts):
            return limit <= 1 or any(is_deeper(part, limit - 1) for part in parts)
        case _:
            return False


def read_question(data: bytes | str | dict[str, Any]) -> Question:
    """A question from JSON. Raises `QuestionIsMalformed` with the path of the problem."""
    try:
        raw = data if isinstance(data, dict) else msgspec.json.decode(data)
        return check_shape(msgspec.convert(raw, Question))
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise QuestionIsMalformed(where=where.rstrip("`") or "$", problem=problem) from None
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise QuestionIsMalformed(where="$", problem=str(error)) from None


def question_json(question: Question) -> dict[str, Any]:
    """The question as plain JSON values: what `read_question` reads."""
    plain: dict[str, Any] = msgspec.to_builtins(question)
    return plain


def check_shape(question: Question) -> Question:
    """The question, if it is within bounds and its parts fit together; raises `QuestionIsMalformed` otherwise."""
    _check_bounds(question)
    names = question.names
    for at, name in enumerate(names):
        if name in names[:at]:
            raise QuestionIsMalformed(where="$", problem=f"two columns of the answer are named {name}: use `as`")
    for at, dimension in enumerate(question.dimensions):
        if dimension.term in [other.term for other in question.dimensions[:at]]:
            raise QuestionIsMalformed(where=f"$.dimensions[{at}]", problem="the same dimension stands twice")
    _check_joins(question)
    for at, order in enumerate(question.order_by):
        if order.name not in names:
            accepted = ", ".join(names)
            raise QuestionIsMalformed(where=f"$.order_by[{at}]", problem=f"{order.name} is not one of: {accepted}")
    return question


def _check_joins(question: Question) -> None:
    aliases = [join.name for join in question.joins]
    for at, join in enumerate(question.joins):
        if join.name in aliases[:at]:
            raise QuestionIsMalformed(where=f"$.joins[{at}]", problem=f"two datasets are named {join.name}: use `as`")
        for part, names in (("on", join.on), ("columns", [each.as_ for each in join.columns])):
            if len(set(names)) < len(names):
                raise QuestionIsMalformed(where=f"$.joins[{at}].{part}", problem="the same name stands twice")


def _check_bounds(question: Question) -> None:
    for part, (fewest, most) in BOUNDS.items():
        if not fewest <= len(getattr(question, part)) <= most:
            raise QuestionIsMalformed(where=f"$.{part}", problem=f"it holds {fewest} to {most}")
    if is_deeper(question.filter, DEEPEST):
        raise QuestionIsMalformed(where="$.filter", problem=f"conditions are nested deeper than {DEEPEST}")
    literals = [value for _, value in literals_of(question.filter)]
    if len(literals) > MOST_LITERALS:
        raise QuestionIsMalformed(where="$.filter", problem=f"it has more than {MOST_LITERALS} literals")
    if len(msgspec.json.encode(question)) > LARGEST:
        raise QuestionIsMalformed(where="$", problem=f"it is larger than {LARGEST} bytes")
    edges = [edge for term in question.terms for edge in term.band or ()]
    if any(isinstance(value, float) and not math.isfinite(value) for value in (*literals, *edges)):
        raise QuestionIsMalformed(where="$.filter", problem="a number is not finite")
