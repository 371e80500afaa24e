"""Greater, less and equal as PostgreSQL's jsonpath has them: numbers by their decimal text, texts by code point. Pure."""

from decimal import Decimal
from typing import Any

_EXACT = 2**53


def exact(number: int | float) -> Decimal | int | float:
    """A number that compares with any other as its JSON text would. Within 2^53 floats and whole numbers already do."""
    if isinstance(number, float):
        return number if abs(number) <= _EXACT else Decimal(repr(number))
    return number


def same_number(one: int | float, other: int | float) -> bool:
    return bool(exact(one) == exact(other))


def stands(one: Any, operator: str, other: Any) -> bool:
    """Whether `one operator other` holds between two numbers or two texts."""
    if not isinstance(one, str):
        one, other = exact(one), exact(other)
    match operator:
        case "==":
            return bool(one == other)
        case ">":
            return bool(one > other)
        case "<":
            return bool(one < other)
        case ">=":
            return bool(one >= other)
    return operator == "<=" and bool(one <= other)
