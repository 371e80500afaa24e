"""Conditions of the SQL subset, read from sqlglot's tree into the model. Pure."""

from dataclasses import dataclass

from sqlglot import exp

from sanpo.cleanroom.dialect import Source
from sanpo.cleanroom.model import COMPARISONS, AllOf, Among, AnyOf, Between, Filter, IsNull, Not
from sanpo.cleanroom.parse_terms import Terms, is_literal, unwrapped

_CONDITION = "column >= 5 | column between 1 and 9 | column in ('a', 'b') | column is null | not (…) | … and … | … or …"
_OPERATORS: dict[type[exp.Expr], str] = {
    exp.EQ: "=", exp.NEQ: "!=", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">="
}  # fmt: skip
_TURNED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Filters:
    """Reads `where`."""

    source: Source
    terms: Terms

    def filter(self, node: exp.Expr | None) -> Filter:
        node = unwrapped(node)
        match node:
            case exp.And() | exp.Or():
                return self._compound(node)
            case exp.Not():
                return Not(part=self.filter(node.this))
            case exp.Between():
                return self._between(node)
            case exp.In():
                return self._among(node)
            case exp.Is(expression=exp.Null()):
                self.source.only(node, _CONDITION, "this", "expression")
                return IsNull(term=self.terms.term(node.this))
            case exp.Expr() if type(node) in _OPERATORS:
                return self._comparison(node, _OPERATORS[type(node)])
            case _:
                raise self.source.refusal(node, _CONDITION)

    def _compound(self, node: exp.And | exp.Or) -> Filter:
        self.source.only(node, _CONDITION, "this", "expression")
        kind = type(node)
        parts = tuple(self.filter(part) for part in _chain(node, kind))
        return AllOf(parts=parts) if kind is exp.And else AnyOf(parts=parts)

    def _between(self, node: exp.Between) -> Filter:
        self.source.only(node, _CONDITION, "this", "low", "high")
        low, high = self.terms.literal(node.args.get("low")), self.terms.literal(node.args.get("high"))
        return Between(term=self.terms.term(node.this), low=low, high=high)

    def _among(self, node: exp.In) -> Filter:
        self.source.only(node, _CONDITION, "this", "expressions")
        if not node.expressions:
            raise self.source.refusal(node, _CONDITION)
        values = tuple(self.terms.literal(each) for each in node.expressions)
        return Among(term=self.terms.term(node.this), values=values)

    def _comparison(self, node: exp.Expr, operator: str) -> Filter:
        self.source.only(node, _CONDITION, "this", "expression")
        left, right = node.this, node.expression
        if isinstance(right, exp.Null):
            raise self.source.refusal(node, "column is null")
        if is_literal(left) and not is_literal(right):
            left, right, operator = right, left, _TURNED[operator]
        return COMPARISONS[operator](term=self.terms.term(left), value=self.terms.literal(right))  # type: ignore[return-value]


def _chain(node: exp.Expr, kind: type[exp.Expr]) -> list[exp.Expr]:
    """The parts of `a and b and c`, which the tree holds as pairs; parentheses begin a condition of their own."""
    parts: list[exp.Expr] = []
    while type(node) is kind:
        parts.append(node.expression)
        node = node.this
    return [node, *reversed(parts)]
