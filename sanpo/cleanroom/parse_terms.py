"""Columns, terms, literals and measures of the SQL subset, read from sqlglot's tree into the model. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import get_args

from sqlglot import exp

from sanpo.cleanroom.dialect import Source
from sanpo.cleanroom.model import MOST_EDGES, SUBJECT, Bucket, Measure, Scalar, Term, Unit

BUCKETS: tuple[Bucket, ...] = get_args(Bucket)
UNITS: tuple[Unit, ...] = get_args(Unit)
AGGREGATES = ("sum", "avg", "min", "max", "variance")
QUANTILES = ("quantile", "quantile_cont", "percentile_cont")
CORRELATIONS = ("correlation", "corr")
FUNCTIONS = (*BUCKETS, *AGGREGATES, *QUANTILES, *CORRELATIONS, "band", "count", "median")

_BAND = "band(column, 10, 20, 30)"
_COUNT = f"count(*) | count(distinct {SUBJECT})"
TERM = f"column | hour(time) | date_trunc('day', time) | {_BAND}"
ITEM = f"{TERM} | {_COUNT} | sum(column) | quantile(column, 0.5)"
_LITERAL = "5 | -0.5 | 'text' | true | date '2026-01-31' | timestamp '2026-01-31 12:00'"
_NEAREST = {
    "dayofweek": "weekday",
    "isodow": "weekday",
    "day": "date",
    "time_bucket": "date_trunc",
    "mean": "avg",
    "width_bucket": "band",
    "histogram": "band",
    **dict.fromkeys(("var_samp", "var_pop", "stddev", "stddev_samp", "stddev_pop"), "variance"),
    **dict.fromkeys(("covar_samp", "covar_pop", "regr_r2"), "correlation"),
}
_EXAMPLES = {
    **{bucket: f"{bucket}(time)" for bucket in BUCKETS},
    **{name: f"{name}(column)" for name in AGGREGATES},
    **dict.fromkeys((*QUANTILES, "median"), "quantile(column, 0.5)"),
    **dict.fromkeys(CORRELATIONS, "correlation(column, other)"),
    "date_trunc": "date_trunc('day', time)",
    "band": _BAND,
    "count": _COUNT,
}


@dataclass(frozen=True)
class Terms:
    """Reads what stands in `select` and in conditions. `own` is how the statement calls its first dataset."""

    source: Source
    own: str

    def column(self, node: exp.Expr | None) -> str:
        """A column as the model names it: its plain name, or `alias.column` in a joined dataset."""
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise self.source.refusal(node, "column")
        self.source.only(node, "column | alias.column", "this", "table")
        name = self.source.name(node.this)
        alias = self.source.name(node.args["table"]) if node.args.get("table") else self.own
        return name if alias == self.own else f"{alias}.{name}"

    def term(self, node: exp.Expr | None, accepted: str = TERM) -> Term:
        node = unwrapped(node)
        if isinstance(node, exp.Column):
            return Term(column=self.column(node))
        if isinstance(node, exp.Case):
            raise self.source.refusal(node, _BAND)
        if not isinstance(node, exp.Anonymous):
            raise self.source.refusal(node, accepted)
        name, given = self._call(node)
        if name == "date_trunc" and len(given) == 2:
            return self._beginning(given[0], given[1])
        if name == "band" and len(given) >= 2:
            return self._band(given)
        if name in BUCKETS and name != "date_trunc" and len(given) == 1:
            return Term(column=self.column(given[0]), bucket=name)
        nearest = _NEAREST.get(name) or next(iter(get_close_matches(name, FUNCTIONS, n=1)), None)
        raise self.source.refusal(node, _EXAMPLES.get(nearest or "", accepted))

    def measure(self, node: exp.Expr, alias: str | None) -> Measure | None:
        """The measure, or None where the node is something else."""
        if not isinstance(node, exp.Anonymous):
            return None
        name, given = self._call(node)
        if name == "count":
            return self._count(node, given, alias)
        if name in AGGREGATES and len(given) == 1:
            return Measure(function=name, column=self.column(given[0]), as_=alias)  # type: ignore[arg-type]
        if name == "median" and len(given) == 1:
            return Measure(function="quantile", column=self.column(given[0]), q=0.5, as_=alias)
        if name in QUANTILES and len(given) == 2:
            return Measure(function="quantile", column=self.column(given[0]), q=self._level(given[1]), as_=alias)
        if name in CORRELATIONS and len(given) == 2:
            one, other = map(self.column, given)
            return Measure(function="correlation", column=one, other=other, as_=alias)
        return None

    def literal(self, node: exp.Expr | None) -> Scalar:
        node = unwrapped(node)
        match node:
            case exp.Literal() if node.is_string:
                return str(node.this)
            case exp.Literal() | exp.Neg(this=exp.Literal(is_string=False)):
                return self._number(node)
            case exp.Boolean():
                return bool(node.this)
            case exp.Cast() if is_literal(node) and isinstance(node.this, exp.Literal) and node.this.is_string:
                return str(node.this.this)
        raise self.source.refusal(node, _LITERAL)

    def _call(self, node: exp.Anonymous) -> tuple[str, list[exp.Expr]]:
        self.source.only(node, ITEM, "this", "expressions")
        return str(node.this).lower(), node.expressions

    def _beginning(self, unit: exp.Expr, column: exp.Expr) -> Term:
        name = unit.this.lower() if isinstance(unit, exp.Literal) and unit.is_string else None
        if name not in UNITS:
            raise self.source.refusal(unit, " | ".join(f"'{each}'" for each in UNITS))
        return Term(column=self.column(column), bucket="date_trunc", unit=name)

    def _band(self, given: list[exp.Expr]) -> Term:
        """The edges ascend: one that does not is pointed at."""
        column, *nodes = given
        edges = [self._edge(node) for node in nodes]
        for node, (low, high) in zip(nodes[1:], pairwise(edges), strict=True):
            if low >= high:
                raise self.source.refusal(node, _BAND)
        if len(edges) > MOST_EDGES:
            raise self.source.refusal(nodes[MOST_EDGES], _BAND)
        return Term(column=self.column(column), band=tuple(edges))

    def _edge(self, node: exp.Expr) -> int | float:
        edge = self.literal(node)
        if isinstance(edge, bool | str):
            raise self.source.refusal(node, _BAND)
        return edge

    def _level(self, node: exp.Expr) -> float:
        level = self.literal(node)
        if isinstance(level, bool | str) or not 0 <= level <= 1:
            raise self.source.refusal(node, "quantile(column, 0.5)")
        return float(level)

    def _count(self, node: exp.Expr, given: list[exp.Expr], alias: str | None) -> Measure:
        if len(given) != 1:
            raise self.source.refusal(node, _COUNT)
        inner = given[0]
        if is_star(inner):
            return Measure(function="count", as_=alias)
        is_distinct = isinstance(inner, exp.Distinct) and len(inner.expressions) == 1 and not inner.args.get("on")
        if is_distinct and self.column(inner.expressions[0]) in (SUBJECT, "subject"):
            return Measure(function="subjects", as_=alias)
        raise self.source.refusal(node, _COUNT)

    def _number(self, node: exp.Expr) -> int | float:
        sign, text = (-1, node.this.this) if isinstance(node, exp.Neg) else (1, node.this)
        parse: Callable[[str], int | float] = int if text.isascii() and text.isdigit() else float
        try:
            return sign * parse(text)
        except ValueError:
            raise self.source.refusal(node, _LITERAL) from None


def unwrapped(node: exp.Expr | None) -> exp.Expr | None:
    """The node inside its parentheses."""
    while isinstance(node, exp.Paren):
        node = node.this
    return node


def is_star(node: exp.Expr) -> bool:
    """Whether it is `*` and nothing with it."""
    return isinstance(node, exp.Star) and not any(node.args.values())


def is_literal(node: exp.Expr | None) -> bool:
    node = unwrapped(node)
    if isinstance(node, exp.Cast):
        return node.to.this in (exp.DataType.Type.DATE, exp.DataType.Type.TIMESTAMP, exp.DataType.Type.TIMESTAMPNTZ)
    return isinstance(node, exp.Literal | exp.Neg | exp.Boolean)


def whole(node: exp.Expr | None) -> int | None:
    """The number that the node is, where it is a whole one without a sign."""
    if isinstance(node, exp.Literal) and not node.is_string and node.this.isascii() and node.this.isdigit():
        return int(node.this[:20])
    return None
