"""The question as SQL of the subset, in one canonical form: what the journal keeps and hashes. Pure.

`parse_sql(print_sql(question)) == question` for every question (a property test holds it).
"""

from sanpo.cleanroom.dialect import is_plain_word
from sanpo.cleanroom.model import (
    SUBJECT,
    AllOf,
    Among,
    AnyOf,
    Between,
    Comparison,
    Derived,
    Dimension,
    Filter,
    IsNull,
    Join,
    Measure,
    Not,
    Question,
    Scalar,
    Term,
)


def print_sql(question: Question) -> str:
    """One line of SQL that `parse_sql` reads back to the same question, without its `release`, which SQL has no word for."""
    items = [_aliased(print_term(each), each) for each in question.dimensions]
    items += [_aliased(print_measure(each), each) for each in question.measures]
    parts = [f"select {', '.join(items)} from {_own(question)}", *map(_join, question.joins)]
    if question.filter is not None:
        parts.append(f"where {_condition(question.filter)}")
    listed = ", ".join(map(print_term, question.dimensions))
    if question.totals:
        parts.append(f"group by cube ({listed})")
    elif question.dimensions:
        parts.append(f"group by {listed}")
    if question.order_by:
        orders = [_name(order.name) + " desc" * order.descending for order in question.order_by]
        parts.append(f"order by {', '.join(orders)}")
    if question.limit is not None:
        parts.append(f"limit {question.limit}")
    return " ".join(parts)


def print_term(term: Term) -> str:
    """A column, time bucket or band as SQL."""
    column = _dotted(term.column)
    if term.band is not None:
        return f"band({', '.join([column, *map(_literal, term.band)])})"
    if term.bucket is None:
        return column
    return f"date_trunc('{term.unit}', {column})" if term.unit else f"{term.bucket}({column})"


def print_measure(measure: Measure) -> str:
    """A measure as SQL."""
    if measure.column is None:
        return "count(*)" if measure.function == "count" else f"count(distinct {SUBJECT})"
    level = [] if measure.q is None else [_literal(measure.q)]
    return f"{measure.function}({', '.join([*map(_dotted, measure.columns), *level])})"


def _own(question: Question) -> str:
    """The question's dataset, under another name where its own would be taken for something joined."""
    before = {name.split(".")[0] for name in question.columns if "." in name}
    taken = before | {join.name for join in question.joins}
    if question.dataset.split(".")[1] not in taken:
        return _dotted(question.dataset)
    alias = next(name for name in (f"own{'_' * more}" for more in range(len(taken) + 1)) if name not in taken)
    return f"{_dotted(question.dataset)} as {alias}"


def _join(join: Join) -> str:
    on, dataset = ", ".join(map(_name, join.on)), _dotted(join.dataset)
    if join.columns:
        items = ", ".join([on, *map(_derived, join.columns)])
        dataset = f"(select {items} from {dataset} group by {on})"
    return f"join {dataset}{'' if join.as_ is None else f' as {_name(join.as_)}'} using ({on})"


def _derived(each: Derived) -> str:
    column = "*" if each.column is None else _name(each.column)
    return f"{each.function}({column}) as {_name(each.as_)}"


def _dotted(name: str) -> str:
    return ".".join(map(_name, name.split(".")))


def _aliased(text: str, item: Dimension | Measure) -> str:
    return text if item.as_ is None else f"{text} as {_name(item.as_)}"


def _name(name: str) -> str:
    return name if is_plain_word(name) else f'"{name}"'


def _literal(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return repr(value)


def _condition(filter: Filter) -> str:
    match filter:
        case Comparison(term=term, value=value):
            return f"{print_term(term)} {filter.op} {_literal(value)}"
        case Among(term=term, values=values):
            return f"{print_term(term)} in ({', '.join(map(_literal, values))})"
        case Between(term=term, low=low, high=high):
            return f"{print_term(term)} between {_literal(low)} and {_literal(high)}"
        case IsNull(term=term):
            return f"{print_term(term)} is null"
        case Not(part=part):
            return f"not ({_condition(part)})"
        case AllOf(parts=parts):
            return " and ".join(f"({_condition(part)})" for part in parts)
        case AnyOf(parts=parts):
            return " or ".join(f"({_condition(part)})" for part in parts)
