"""Nouns of the indicators and their pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Any

WEEKS = 4
LEAST_SHOPS = 4
"""Of different owners in a street, so that none of them can subtract its own and see another's."""
P_PERCENT = 10
"""How near to an owner's own figure nobody may come, the second largest included (the p % rule of official statistics)."""


class State(StrEnum):
    """What came of a protected figure. The words under `cash.indicators.<value>` say it to people."""

    SHOWN = "shown"
    NO_AGREEMENT = "no_agreement"
    TOO_FEW = "too_few"
    TOO_FEW_SHOPS = "too_few_shops"
    NOT_NOW = "not_now"


@dataclass(frozen=True)
class Period:
    """Whole weeks of local days, from `first_day` (a Monday) to before `end_day` (a Monday)."""

    first_day: date
    end_day: date

    @property
    def weeks(self) -> list[date]:
        return [self.first_day + timedelta(weeks=n) for n in range((self.end_day - self.first_day).days // 7)]


@dataclass(frozen=True)
class Cell:
    """A total: None where it is withheld, because too few have bought there."""

    name: str
    yen: int | None
    purchases: int | None


@dataclass(frozen=True)
class Totals:
    """What the books say of the period, and (`held_yen`) of now: sums of all accounts, nobody's own. No consent is needed."""

    charged_yen: int
    spent_yen: int
    refunded_yen: int
    paid_out_yen: int
    held_yen: int
    payments: int

    @property
    def turns(self) -> float | None:
        """How often in the period a yen was spent: the velocity of the town's cash. None where nothing is held."""
        return round((self.spent_yen - self.refunded_yen) / self.held_yen, 2) if self.held_yen > 0 else None

    @property
    def leaving_percent(self) -> int | None:
        """Of what was spent: the share that shops took out to banks. The rest is still in the town's cash."""
        net = self.spent_yen - self.refunded_yen
        return min(100, round(100 * self.paid_out_yen / net)) if net > 0 else None


@dataclass(frozen=True)
class Indicators:
    """Of a period. The states are those of what consent decides; `residents` have agreed and bought."""

    period: Period
    totals: Totals
    districts_state: State
    weeks_state: State
    districts: tuple[Cell, ...] = ()
    weeks: tuple[Cell, ...] = ()
    residents: int = 0

    @property
    def withheld(self) -> int:
        return sum(cell.yen is None for cell in (*self.districts, *self.weeks))


@dataclass(frozen=True)
class Street:
    """A shop beside the district it stands in, week by week; each in percent of its own first shown week."""

    period: Period
    district: str
    state: State
    own_yen: tuple[int, ...] = ()
    own_percent: tuple[int | None, ...] = ()
    street_percent: tuple[int | None, ...] = ()


def last_weeks(today: date) -> Period:
    """The last four whole weeks: the same for everybody, so that answers about other days cannot be subtracted."""
    monday = today - timedelta(days=today.weekday())
    return Period(monday - timedelta(weeks=WEEKS), monday)


def may_be_compared(sales_yen: Sequence[int]) -> bool:
    """Whether a street's total tells no shop what another took: enough shops, and after the two largest enough is left."""
    sold = sorted((yen for yen in sales_yen if yen > 0), reverse=True)
    return len(sold) >= LEAST_SHOPS and 100 * sum(sold[2:]) >= P_PERCENT * sold[0]


def in_percent(values: Sequence[int | None]) -> tuple[int | None, ...]:
    """Each of the first that is there and not zero."""
    base = next((value for value in values if value), None)
    if base is None:
        return tuple(None for _ in values)
    return tuple(None if value is None else round(100 * value / base) for value in values)


def cells_of(names: Sequence[str], rows: Sequence[Any]) -> tuple[Cell, ...]:
    """An answer's rows (name, sum, count) as cells; what no row tells is withheld."""
    found = {str(name): (yen, purchases) for name, yen, purchases in rows}
    return tuple(Cell(name, *found.get(name, (None, None))) for name in names)
