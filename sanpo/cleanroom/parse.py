"""SQL's face of the question: a small subset, read through sqlglot's tree into the model. Pure.

Whatever is not in the subset raises `QuestionNotInSubset` with its place and a form that would pass; nothing of the
author's text reaches an engine.
"""

from sqlglot import exp

from sanpo.cleanroom.dialect import SHAPE, Source, read_tree
from sanpo.cleanroom.model import Dimension, Measure, Order, Question, question_json, read_question
from sanpo.cleanroom.parse_filters import Filters
from sanpo.cleanroom.parse_joins import read_from
from sanpo.cleanroom.parse_terms import ITEM, Terms, unwrapped, whole
from sanpo.cleanroom.printer import print_term

_PARTS = ("expressions", "from_", "joins", "where", "group", "order", "limit")


def parse_sql(text: str) -> Question:
    """The question that the text asks. Raises `QuestionNotInSubset` or `QuestionIsMalformed`, nothing else."""
    return read_question(question_json(_Statement(Source(text, read_tree(text))).question()))


class _Statement:
    """Walks one statement. Each method reads one kind of node and refuses what it does not know."""

    def __init__(self, source: Source) -> None:
        self.source, self.tree = source, source.tree
        source.only(self.tree, SHAPE, *_PARTS)
        self.read = read_from(source)
        self.terms = Terms(source, self.read.own)

    def question(self) -> Question:
        tree = self.tree
        items = [self._item(node) for node in tree.expressions]
        dimensions = tuple(item for item in items if isinstance(item, Dimension))
        measures = tuple(item for item in items if isinstance(item, Measure))
        if not measures:
            raise self.source.refusal(tree, "select …, count(*) from …")
        where, order = tree.args.get("where"), tree.args.get("order")
        return Question(
            dataset=self.read.dataset,
            joins=self.read.joins,
            dimensions=dimensions,
            measures=measures,
            totals=self._totals(tree.args.get("group"), dimensions),
            filter=None if where is None else Filters(self.source, self.terms).filter(where.this),
            order_by=() if order is None else tuple(self._order(node, items) for node in order.expressions),
            limit=self._limit(tree.args.get("limit")),
        )

    def _item(self, node: exp.Expr) -> Dimension | Measure:
        alias = None
        if isinstance(node, exp.Alias):
            self.source.only(node, ITEM, "this", "alias")
            alias, node = self.source.name(node.args.get("alias")), node.this
        measure = self.terms.measure(node, alias)
        if measure is not None:
            return measure
        term = self.terms.term(node, ITEM)
        return Dimension(column=term.column, bucket=term.bucket, unit=term.unit, band=term.band, as_=alias)

    def _totals(self, group: exp.Expr | None, dimensions: tuple[Dimension, ...]) -> bool:
        """Whether totals are asked for. `group by` must name exactly the dimensions, whichever way."""
        listed = ", ".join(print_term(dimension.term) for dimension in dimensions)
        accepted = f"group by {listed}" if dimensions else SHAPE
        if group is None:
            if dimensions:
                raise self.source.refusal(self.tree, accepted)
            return False
        self._check_margins(group, f"group by cube ({listed})")
        nodes, names_all = group.expressions, bool(group.args.get("all"))
        is_cube = len(nodes) == 1 and isinstance(nodes[0], exp.Cube) and not names_all
        if is_cube:
            self.source.only(nodes[0], accepted, "expressions")
            nodes = nodes[0].expressions
        grouped = [self._grouped(node, dimensions, accepted) for node in nodes]
        is_exact = sorted(grouped) == list(range(len(dimensions))) and (is_cube or bool(grouped))
        if not (names_all or is_exact):
            raise self.source.refusal(group, accepted)
        return is_cube

    def _check_margins(self, group: exp.Expr, accepted: str) -> None:
        """Totals are those of a cube: other choices of margins are refused with it."""
        for node in group.expressions:
            is_one_of_many = isinstance(node, exp.Cube) and len(group.expressions) > 1
            if is_one_of_many or isinstance(node, exp.GroupingSets | exp.Rollup):
                raise self.source.refusal(node, accepted)
        self.source.only(group, accepted, "expressions", "all")

    def _grouped(self, node: exp.Expr, dimensions: tuple[Dimension, ...], accepted: str) -> int:
        """The place among the dimensions that one expression of `group by` means."""
        number = whole(node)
        if number is not None:
            return self._place(node, number, [isinstance(self._item(n), Dimension) for n in self.tree.expressions])
        term = self.terms.term(node, accepted)
        terms = [dimension.term for dimension in dimensions]
        if term in terms:
            return terms.index(term)
        names = [dimension.name for dimension in dimensions]
        plain = unwrapped(node)
        if isinstance(plain, exp.Column) and not plain.table and term.column in names:
            return names.index(term.column)
        raise self.source.refusal(node, accepted)

    def _place(self, node: exp.Expr, number: int, is_dimension: list[bool]) -> int:
        """SQL counts the items of `select`; the model counts dimensions only."""
        if not 1 <= number <= len(is_dimension) or not is_dimension[number - 1]:
            raise self.source.refusal(node, "group by column")
        return sum(is_dimension[: number - 1])

    def _order(self, node: exp.Expr, items: list[Dimension | Measure]) -> Order:
        accepted = " | ".join(f"{item.name} [desc]" for item in items)
        self.source.only(node, accepted, "this", "desc")
        what, number = node.this, whole(node.this)
        if number is not None and 1 <= number <= len(items):
            return Order(items[number - 1].name, bool(node.args.get("desc")))
        for item in items:
            if isinstance(what, exp.Column) and not what.table and self.terms.column(what) == item.name:
                return Order(item.name, bool(node.args.get("desc")))
        for item in items:
            if number is None and _same(self._item(what), item):
                return Order(item.name, bool(node.args.get("desc")))
        raise self.source.refusal(node, accepted)

    def _limit(self, node: exp.Expr | None) -> int | None:
        if node is None:
            return None
        number = whole(node.expression) if isinstance(node, exp.Limit) else None
        if number is None or not 1 <= number <= 10_000:
            raise self.source.refusal(node, "limit 1 … limit 10000")
        self.source.only(node, "limit 100", "expression")
        return number


def _same(one: Dimension | Measure, other: Dimension | Measure) -> bool:
    """Whether both are the same expression, whatever they are called."""
    if isinstance(one, Dimension) and isinstance(other, Dimension):
        return one.term == other.term
    if isinstance(one, Measure) and isinstance(other, Measure):
        return (one.function, one.columns, one.q) == (other.function, other.columns, other.q)
    return False
