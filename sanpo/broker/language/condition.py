"""Conditions for PostgreSQL: fixed text with places, and the values apart from it. Pure.

Nothing that an asker wrote is ever in the text. A condition is over the alias `e` of a table with the columns of
`broker.entities`; where it is not `exact` it lets too many rows through, never too few, and `matches` decides.
"""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL of type boolean, null counting as false. `exact` says that no row passes that should not."""

    sql: str
    exact: bool = True


ALWAYS = Condition("true")
NEVER = Condition("false")


class Parameters:
    """The values of one statement, under names that all conditions in it share."""

    def __init__(self, prefix: str = "c") -> None:
        self.values: dict[str, object] = {}
        self._prefix = prefix

    def add(self, value: object, kind: str) -> str:
        """The place for `value`, cast to the SQL type `kind`."""
        name = f"{self._prefix}{len(self.values)}"
        self.values[name] = value
        return f"%({name})s::{kind}"


def all_of(conditions: Iterable[Condition]) -> Condition:
    """All of them, the exact ones first: they are cheaper than what has to be looked at again."""
    parts = [each for each in conditions if each != ALWAYS]
    if not parts:
        return ALWAYS
    joined = " and ".join(each.sql if len(parts) == 1 else f"({each.sql})" for each in parts)
    return Condition(joined, all(each.exact for each in parts))


def any_of(conditions: Iterable[Condition]) -> Condition:
    parts = list(conditions)
    if not parts:
        return NEVER
    joined = " or ".join(each.sql if len(parts) == 1 else f"({each.sql})" for each in parts)
    return Condition(joined, all(each.exact for each in parts))
