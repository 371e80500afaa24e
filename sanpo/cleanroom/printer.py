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
    Dimension,
    Filter,
    IsNull,
    Measure,
    Not,
    Question,
    Scalar,
    Term,
)


def print_sql(question: Question) -> str:
    """One line of SQL that `parse_sql` reads back to the same question."""
    items = [_aliased(print_term(each), each) for each in question.dimensions]
    items += [_aliased(print_measure(each), each) for each in question.measures]
    parts = [f"select {', '.join(items)} from {'.'.join(map(_name, question.dataset.split('.')))}"]
    if question.filter is not None:
        parts.append(f"where {_condition(question.filter)}")
    if question.dimensions:
        parts.append(f"group by {', '.join(map(print_term, question.dimensions))}")
    if question.order_by:
        orders = [_name(order.name) + " desc" * order.descending for order in question.order_by]
        parts.append(f"order by {', '.join(orders)}")
    if question.limit is not None:
        parts.append(f"limit {question.limit}")
    return " ".join(parts)


def print_term(term: Term) -> str:
    """A column or time bucket as SQL."""
    column = _name(term.column)
    if term.bucket is None:
        return column
    return f"date_trunc('{term.unit}', {column})" if term.unit else f"{term.bucket}({column})"


def print_measure(measure: Measure) -> str:
    """A measure as SQL."""
    if measure.column is None:
        return "count(*)" if measure.function == "count" else f"count(distinct {SUBJECT})"
    level = "" if measure.q is None else f", {_literal(measure.q)}"
    return f"{measure.function}({_name(measure.column)}{level})"


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
