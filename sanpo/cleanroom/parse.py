"""SQL's face of the question: a small subset, read through sqlglot's tree into the model. Pure.

Whatever is not in the subset raises `QuestionNotInSubset` with its place and a form that would pass; nothing of the
author's text reaches an engine.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import get_args

from sqlglot import exp

from sanpo.cleanroom.dialect import SHAPE, read_tree, refusal
from sanpo.cleanroom.errors import QuestionNotInSubset
from sanpo.cleanroom.model import (
    COMPARISONS,
    SUBJECT,
    AllOf,
    Among,
    AnyOf,
    Between,
    Bucket,
    Dimension,
    Filter,
    IsNull,
    Measure,
    Not,
    Order,
    Question,
    Scalar,
    Term,
    Unit,
    question_json,
    read_question,
)

BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
UNITS: tuple[Unit, ...] = get_args(Unit)
AGGREGATES = ("sum", "avg", "min", "max")
QUANTILES = ("quantile", "quantile_cont", "percentile_cont")
FUNCTIONS = (*BUCKETS, *AGGREGATES, *QUANTILES, "count", "median")

_TERM = "column | hour(time) | date_trunc('day', time)"
_ITEM = f"{_TERM} | count(*) | count(distinct {SUBJECT}) | sum(column) | quantile(column, 0.5)"
_CONDITION = "column >= 5 | column between 1 and 9 | column in ('a', 'b') | column is null | not (…) | … and … | … or …"
_LITERAL = "5 | -0.5 | 'text' | true | date '2026-01-31' | timestamp '2026-01-31 12:00'"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,79}")
_OPERATORS: dict[type[exp.Expression], str] = {
    exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="
}  # fmt: skip
_TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_NEAREST = {"dayofweek": "weekday", "isodow": "weekday", "day": "date", "time_bucket": "date_trunc", "mean": "avg"}


def parse_sql(text: str) -> Question:
    """The question that the text asks. Raises `QuestionNotInSubset` or `QuestionIsMalformed`, nothing else."""
    return read_question(question_json(_Reader(text).question()))


class _Reader:
    """Walks one statement. Each method reads one kind of node and refuses what it does not know."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tree = read_tree(text)

    def question(self) -> Question:
        tree = self.tree
        self._only(tree, SHAPE, "expressions", "from_", "where", "group", "order", "limit")
        items = [self._item(node) for node in tree.expressions]
        dimensions = tuple(item for item in items if isinstance(item, Dimension))
        measures = tuple(item for item in items if isinstance(item, Measure))
        if not measures:
            raise self._refusal(tree, "select …, count(*) from …")
        self._check_group(tree.args.get("group"), dimensions)
        where, order = tree.args.get("where"), tree.args.get("order")
        return Question(
            dataset=self._dataset(tree.args.get("from_")),
            dimensions=dimensions,
            measures=measures,
            filter=None if where is None else self._filter(where.this),
            order_by=() if order is None else tuple(self._order(node, items) for node in order.expressions),
            limit=self._limit(tree.args.get("limit")),
        )

    def _dataset(self, node: exp.Expression | None) -> str:
        if node is None:
            raise self._refusal(self.tree, "from energy.readings")
        table = node.this
        if not isinstance(table, exp.Table) or not isinstance(table.this, exp.Identifier) or not table.args.get("db"):
            raise self._refusal(node, "from energy.readings")
        self._only(node, "from energy.readings", "this")
        self._only(table, "from energy.readings", "this", "db")
        return f"{self._name(table.args['db'])}.{self._name(table.this)}"

    def _item(self, node: exp.Expression) -> Dimension | Measure:
        alias = None
        if isinstance(node, exp.Alias):
            self._only(node, _ITEM, "this", "alias")
            alias, node = self._name(node.args.get("alias")), node.this
        measure = self._measure(node, alias)
        if measure is not None:
            return measure
        term = self._term(node, _ITEM)
        return Dimension(column=term.column, bucket=term.bucket, unit=term.unit, as_=alias)

    def _measure(self, node: exp.Expression, alias: str | None) -> Measure | None:
        """The measure, or None where the node is something else."""
        if not isinstance(node, exp.Anonymous):
            return None
        name, given = self._call(node)
        if name == "count":
            return self._count(node, given, alias)
        if name in AGGREGATES and len(given) == 1:
            return Measure(function=name, column=self._column(given[0]), as_=alias)  # type: ignore[arg-type]
        if name == "median" and len(given) == 1:
            return Measure(function="quantile", column=self._column(given[0]), q=0.5, as_=alias)
        if name in QUANTILES and len(given) == 2:
            level = self._literal(given[1])
            if isinstance(level, bool | str) or not 0 <= level <= 1:
                raise self._refusal(given[1], "quantile(column, 0.5)")
            return Measure(function="quantile", column=self._column(given[0]), q=float(level), as_=alias)
        return None

    def _count(self, node: exp.Expression, given: list[exp.Expression], alias: str | None) -> Measure:
        accepted = f"count(*) | count(distinct {SUBJECT})"
        if len(given) != 1:
            raise self._refusal(node, accepted)
        inner = given[0]
        if isinstance(inner, exp.Star) and not any(inner.args.values()):
            return Measure(function="count", as_=alias)
        is_distinct = isinstance(inner, exp.Distinct) and len(inner.expressions) == 1 and not inner.args.get("on")
        if is_distinct and self._column(inner.expressions[0]) in (SUBJECT, "subject"):
            return Measure(function="subjects", as_=alias)
        raise self._refusal(node, accepted)

    def _term(self, node: exp.Expression | None, accepted: str = _TERM) -> Term:
        node = _unwrapped(node)
        if isinstance(node, exp.Column):
            return Term(column=self._column(node))
        if not isinstance(node, exp.Anonymous):
            raise self._refusal(node, accepted)
        name, given = self._call(node)
        if name == "date_trunc" and len(given) == 2:
            unit = given[0].this.lower() if isinstance(given[0], exp.Literal) and given[0].is_string else None
            if unit not in UNITS:
                raise self._refusal(given[0], " | ".join(f"'{each}'" for each in UNITS))
            return Term(column=self._column(given[1]), bucket="date_trunc", unit=unit)
        if name in BUCKETS and name != "date_trunc" and len(given) == 1:
            return Term(column=self._column(given[0]), bucket=name)
        nearest = _NEAREST.get(name) or next(iter(get_close_matches(name, FUNCTIONS, n=1)), None)
        raise self._refusal(node, _EXAMPLES.get(nearest or "", accepted))

    def _call(self, node: exp.Anonymous) -> tuple[str, list[exp.Expression]]:
        self._only(node, _ITEM, "this", "expressions")
        return str(node.this).lower(), node.expressions

    def _column(self, node: exp.Expression | None) -> str:
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise self._refusal(node, "column")
        self._only(node, "column", "this")
        return self._name(node.this)

    def _name(self, node: exp.Expression | None) -> str:
        """A name as in PostgreSQL: in small letters unless quoted."""
        if not isinstance(node, exp.Identifier):
            raise self._refusal(node, "name")
        name = node.name if node.args.get("quoted") else node.name.lower()
        if not _NAME.fullmatch(name):
            raise self._refusal(node, "small_letters_and_digits")
        return name

    def _check_group(self, group: exp.Expression | None, dimensions: tuple[Dimension, ...]) -> None:
        accepted = f"group by {', '.join(dimension.name for dimension in dimensions)}" if dimensions else SHAPE
        if group is None:
            if dimensions:
                raise self._refusal(self.tree, accepted)
            return
        self._only(group, accepted, "expressions", "all")
        grouped = [self._grouped(node, dimensions, accepted) for node in group.expressions]
        names_all = group.args.get("all") or (grouped and sorted(grouped) == list(range(len(dimensions))))
        if not names_all:
            raise self._refusal(group, accepted)

    def _grouped(self, node: exp.Expression, dimensions: tuple[Dimension, ...], accepted: str) -> int:
        """The place among the dimensions that one expression of `group by` means."""
        number = _whole(node)
        if number is not None:
            return self._place(node, number, [isinstance(self._item(n), Dimension) for n in self.tree.expressions])
        term = self._term(node, accepted)
        terms = [dimension.term for dimension in dimensions]
        if term in terms:
            return terms.index(term)
        names = [dimension.name for dimension in dimensions]
        if term.bucket is None and term.column in names:
            return names.index(term.column)
        raise self._refusal(node, accepted)

    def _place(self, node: exp.Expression, number: int, is_dimension: list[bool]) -> int:
        """SQL counts the items of `select`; the model counts dimensions only."""
        if not 1 <= number <= len(is_dimension) or not is_dimension[number - 1]:
            raise self._refusal(node, "group by column")
        return sum(is_dimension[: number - 1])

    def _order(self, node: exp.Expression, items: list[Dimension | Measure]) -> Order:
        accepted = " | ".join(f"{item.name} [desc]" for item in items)
        self._only(node, accepted, "this", "desc")
        what, number = node.this, _whole(node.this)
        if number is not None and 1 <= number <= len(items):
            return Order(items[number - 1].name, bool(node.args.get("desc")))
        for item in items:
            if isinstance(what, exp.Column) and not what.table and self._column(what) == item.name:
                return Order(item.name, bool(node.args.get("desc")))
        for item in items:
            if number is None and _same(self._item(what), item):
                return Order(item.name, bool(node.args.get("desc")))
        raise self._refusal(node, accepted)

    def _limit(self, node: exp.Expression | None) -> int | None:
        if node is None:
            return None
        number = _whole(node.expression) if isinstance(node, exp.Limit) else None
        if number is None or not 1 <= number <= 10_000:
            raise self._refusal(node, "limit 1 … limit 10000")
        self._only(node, "limit 100", "expression")
        return number

    def _filter(self, node: exp.Expression | None) -> Filter:
        node = _unwrapped(node)
        match node:
            case exp.And() | exp.Or():
                self._only(node, _CONDITION, "this", "expression")
                kind = type(node)
                parts = tuple(self._filter(part) for part in _chain(node, kind))
                return AllOf(parts=parts) if kind is exp.And else AnyOf(parts=parts)
            case exp.Not():
                return Not(part=self._filter(node.this))
            case exp.Between():
                self._only(node, _CONDITION, "this", "low", "high")
                low, high = self._literal(node.args.get("low")), self._literal(node.args.get("high"))
                return Between(term=self._term(node.this), low=low, high=high)
            case exp.In():
                self._only(node, _CONDITION, "this", "expressions")
                if not node.expressions:
                    raise self._refusal(node, _CONDITION)
                values = tuple(self._literal(each) for each in node.expressions)
                return Among(term=self._term(node.this), values=values)
            case exp.Is(expression=exp.Null()):
                self._only(node, _CONDITION, "this", "expression")
                return IsNull(term=self._term(node.this))
            case exp.Expression() if type(node) in _OPERATORS:
                return self._comparison(node, _OPERATORS[type(node)])
            case _:
                raise self._refusal(node, _CONDITION)

    def _comparison(self, node: exp.Expression, operator: str) -> Filter:
        self._only(node, _CONDITION, "this", "expression")
        left, right = node.this, node.expression
        if isinstance(right, exp.Null):
            raise self._refusal(node, "column is null")
        if _is_literal(left) and not _is_literal(right):
            left, right, operator = right, left, _TURNED[operator]
        return COMPARISONS[operator](term=self._term(left), value=self._literal(right))  # type: ignore[return-value]

    def _literal(self, node: exp.Expression | None) -> Scalar:
        node = _unwrapped(node)
        match node:
            case exp.Literal() if node.is_string:
                return str(node.this)
            case exp.Literal() | exp.Neg(this=exp.Literal(is_string=False)):
                return self._number(node)
            case exp.Boolean():
                return bool(node.this)
            case exp.Cast() if _is_literal(node) and isinstance(node.this, exp.Literal) and node.this.is_string:
                return str(node.this.this)
        raise self._refusal(node, _LITERAL)

    def _number(self, node: exp.Expression) -> int | float:
        sign, text = (-1, node.this.this) if isinstance(node, exp.Neg) else (1, node.this)
        parse: Callable[[str], int | float] = int if text.isascii() and text.isdigit() else float
        try:
            return sign * parse(text)
        except ValueError:
            raise self._refusal(node, _LITERAL) from None

    def _only(self, node: exp.Expression, accepted: str, *parts: str) -> None:
        """Refuses a node that carries any part besides these: what is not looked at must not be there."""
        for part, value in node.args.items():
            if value and part not in parts:
                inside = value[0] if isinstance(value, list) else value
                raise self._refusal(inside if isinstance(inside, exp.Expression) else node, accepted)

    def _refusal(self, node: exp.Expression | None, suggestion: str) -> QuestionNotInSubset:
        """Points at the node, or at the statement where the tree has a hole."""
        return refusal(self.text, node or self.tree, suggestion)


_EXAMPLES = {
    **{bucket: f"{bucket}(time)" for bucket in BUCKETS},
    **{name: f"{name}(column)" for name in AGGREGATES},
    **dict.fromkeys((*QUANTILES, "median"), "quantile(column, 0.5)"),
    "date_trunc": "date_trunc('day', time)",
    "count": f"count(*) | count(distinct {SUBJECT})",
}


def _unwrapped(node: exp.Expression | None) -> exp.Expression | None:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def _chain(node: exp.Expression, kind: type[exp.Expression]) -> list[exp.Expression]:
    """The parts of `a and b and c`, which the tree holds as pairs; parentheses begin a condition of their own."""
    parts: list[exp.Expression] = []
    while type(node) is kind:
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]


def _whole(node: exp.Expression | None) -> int | None:
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isascii() and node.this.isdigit():
        return int(node.this[:20])
    return None


def _is_literal(node: exp.Expression | None) -> bool:
    node = _unwrapped(node)
    if isinstance(node, exp.Cast):
        return node.to.this in (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ)
    return isinstance(node, exp.Literal | exp.Neg | exp.Boolean)


def _same(one: Dimension | Measure, other: Dimension | Measure) -> bool:
    """Whether both are the same expression, whatever they are called."""
    if isinstance(one, Dimension) and isinstance(other, Dimension):
        return one.term == other.term
    if isinstance(one, Measure) and isinstance(other, Measure):
        return (one.function, one.column, one.q) == (other.function, other.column, other.q)
    return False
