"""`from` and `join` of the SQL subset, read from sqlglot's tree into the model. Pure.

A join names keys that its dataset declares (`using`). A dataset that has several rows for a key stands in parentheses,
put together by exactly the join's keys.
"""

from dataclasses import dataclass
from typing import get_args

from sqlglot import exp

from sanpo.cleanroom.dialect import Source
from sanpo.cleanroom.model import Derived, DerivedFunction, Join
from sanpo.cleanroom.parse_terms import is_star

_FROM = "from energy.readings"
_JOIN = "join open.weather using (hour)"
_DERIVED = "join (select subject, count(*) as rides from bus.rides group by subject) as b using (subject)"
_FUNCTIONS: tuple[DerivedFunction, ...] = get_args(DerivedFunction)
_COLUMN = "subject, count(*) as rides, sum(column) as total"


@dataclass(frozen=True)
class From:
    """What a statement reads from. `own` is how it calls its first dataset: by alias, else by the last part of its name."""

    dataset: str
    own: str
    joins: tuple[Join, ...]


def read_from(source: Source) -> From:
    """Raises `QuestionNotInSubset`."""
    node = source.tree.args.get("from_")
    if node is None:
        raise source.refusal(source.tree, _FROM)
    source.only(node, _FROM, "this")
    dataset, alias = _table(source, node.this, _FROM)
    own = alias or dataset.split(".")[1]
    joins = []
    for each in source.tree.args.get("joins") or ():
        join = _join(source, each)
        if join.name == own:
            raise source.refusal(each.this, f"join {join.dataset} as another_name using ({', '.join(join.on)})")
        joins.append(join)
    return From(dataset, own, tuple(joins))


def _table(source: Source, node: exp.Expr | None, accepted: str) -> tuple[str, str | None]:
    """A dataset and its alias."""
    if not isinstance(node, exp.Table) or not isinstance(node.this, exp.Identifier) or not node.args.get("db"):
        raise source.refusal(node, accepted)
    source.only(node, accepted, "this", "db", "alias")
    return f"{source.name(node.args['db'])}.{source.name(node.this)}", _alias(source, node, accepted)


def _alias(source: Source, node: exp.Expr, accepted: str) -> str | None:
    alias = node.args.get("alias")
    if alias is None:
        return None
    source.only(alias, accepted, "this")
    return source.name(alias.this)


def _join(source: Source, node: exp.Join) -> Join:
    """Inner joins by keys only: no other kind gives each row exactly one row of the other side."""
    derived = isinstance(node.this, exp.Subquery)
    accepted = _DERIVED if derived else _JOIN
    source.only(node, accepted, "this", "using", *(["kind"] if node.args.get("kind") == "INNER" else []))
    if not node.args.get("using"):
        raise source.refusal(node, accepted)
    on = tuple(source.plain_column(key, accepted) for key in node.args["using"])
    if derived:
        return _put_together(source, node.this, on)
    dataset, alias = _table(source, node.this, accepted)
    return Join(dataset=dataset, as_=alias, on=on)


def _put_together(source: Source, node: exp.Subquery, on: tuple[str, ...]) -> Join:
    """A dataset whose rows are put together by the join's keys."""
    source.only(node, _DERIVED, "this", "alias")
    select = node.this
    if not isinstance(select, exp.Select):
        raise source.refusal(select, _DERIVED)
    source.only(select, _DERIVED, "expressions", "from_", "group")
    inside = select.args.get("from_")
    dataset, alias = _table(source, None if inside is None else inside.this, _DERIVED)
    group = select.args.get("group")
    if alias is not None or inside is None or group is None:
        raise source.refusal(select, _DERIVED)
    source.only(group, _DERIVED, "expressions")
    keys = [source.plain_column(each, ", ".join(on)) for each in select.expressions if not isinstance(each, exp.Alias)]
    grouped = [source.plain_column(each, ", ".join(on)) for each in group.expressions]
    for found, where in ((keys, select), (grouped, group)):
        if sorted(found) != sorted(on):
            raise source.refusal(where, f"select {', '.join(on)}, … from {dataset} group by {', '.join(on)}")
    columns = tuple(_derived(source, each) for each in select.expressions if isinstance(each, exp.Alias))
    if not columns:
        raise source.refusal(select, _DERIVED)
    return Join(dataset=dataset, as_=_alias(source, node, _DERIVED), on=on, columns=columns)


def _derived(source: Source, node: exp.Alias) -> Derived:
    source.only(node, _COLUMN, "this", "alias")
    name, call = source.name(node.args.get("alias")), node.this
    if not isinstance(call, exp.Anonymous):
        raise source.refusal(call, _COLUMN)
    source.only(call, _COLUMN, "this", "expressions")
    function, given = str(call.this).lower(), call.expressions
    if function not in _FUNCTIONS or len(given) != 1:
        raise source.refusal(call, _COLUMN)
    if function != "count":
        return Derived(function=function, column=source.plain_column(given[0], "column"), as_=name)
    if not is_star(given[0]):
        raise source.refusal(call, "count(*)")
    return Derived(function="count", as_=name)
