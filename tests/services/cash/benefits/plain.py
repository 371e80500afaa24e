"""Benefits once more, as plain lists: what the service must come to, whatever is granted, paid, given back and expires.

Time is hours since the beginning, 09:00 in the city; so its day `d` ends at hour 15 + 24 d.
"""

from dataclasses import dataclass, field

RATE_PERMILLE, CAP_YEN, BUDGET_YEN = 500, 120, 150


@dataclass
class Lot:
    who: int
    granted: int
    ends: int
    shop: int | None
    """Where it is good; None: everywhere."""
    number: int
    earned_by: int | None = None
    left: int = 0
    gone: int = 0
    """Gone back to the funder, or made good in money."""


@dataclass
class Paid:
    who: int
    shop: int
    yen: int
    uses: list[tuple[Lot, int]]
    refunded: int = 0

    @property
    def money(self) -> int:
        return self.yen - sum(yen for _, yen in self.uses)


@dataclass
class Plain:
    money: list[int]
    shops: list[int] = field(default_factory=lambda: [0, 0])
    hour: int = 0
    lots: list[Lot] = field(default_factory=list)
    payments: list[Paid] = field(default_factory=list)
    city_gave: int = BUDGET_YEN
    budget: int = BUDGET_YEN
    given: list[int] = field(default_factory=lambda: [0, 0])

    @property
    def day(self) -> int:
        return (self.hour + 9) // 24

    def grant(self, who: int, yen: int, ends: int, shop: int | None, earned_by: int | None = None) -> None:
        self.lots.append(Lot(who, yen, ends, shop, len(self.lots), earned_by, yen))

    def good(self, who: int) -> list[Lot]:
        """Which lots the resident sees, in the order in which they are spent."""
        found = [lot for lot in self.lots if lot.who == who and lot.left and lot.ends > self.hour]
        return sorted(found, key=lambda lot: (lot.shop is None, lot.ends, lot.number))

    def pay(self, who: int, shop: int, yen: int) -> bool:
        uses, rest = [], yen
        for lot in self.good(who):
            part = min(lot.left, rest) if lot.shop in (None, shop) else 0
            if part:
                uses.append((lot, part))
                rest -= part
        if rest > self.money[who]:
            return False
        for lot, part in uses:
            lot.left -= part
        self.money[who] -= rest
        self.shops[shop] += yen
        self.payments.append(Paid(who, shop, yen, uses))
        earned = min(rest * RATE_PERMILLE // 1000, CAP_YEN - self.given[who], self.budget)
        if earned > 0 and who == 0:  # the first resident alone takes part
            self.budget -= earned
            self.given[who] += earned
            self.grant(who, earned, 15 + 24 * (self.day + 2), None, len(self.payments) - 1)
        return True

    def refund(self, number: int, yen: int) -> bool:
        paid = self.payments[number]
        if paid.refunded + yen > paid.yen:
            return False
        before, after = paid.refunded, paid.refunded + yen
        paid.refunded = after
        self.shops[paid.shop] -= yen
        money = min(after, paid.money) - min(before, paid.money)
        self._restore(paid, max(0, before - paid.money), max(0, after - paid.money))
        money -= self._take_back(number, money)
        self.money[paid.who] += money
        return True

    def _restore(self, paid: Paid, before: int, after: int) -> None:
        """The yen from `before` to `after` of what the lots gave, counted from the last spent."""
        start = 0
        for lot, used in reversed(paid.uses):
            part = max(0, min(start + used, after) - max(start, before))
            start += used
            if lot.ends > self.hour:
                lot.left += part
            else:
                lot.gone += part
                self.city_gave -= part

    def _take_back(self, number: int, money: int) -> int:
        """Returns what is missing in the money."""
        paid = self.payments[number]
        kept = max(0, paid.money - paid.refunded)
        for lot in (lot for lot in self.lots if lot.earned_by == number):
            over = max(0, lot.granted - lot.gone - kept * RATE_PERMILLE // 1000)
            taken = min(over, lot.left)
            missing = min(over - taken, money)
            lot.left -= taken
            lot.gone += taken + missing
            self.given[paid.who] -= taken + missing
            self.city_gave -= taken + missing
            return missing
        return 0

    def expire(self) -> int:
        over = [lot for lot in self.lots if lot.left and lot.ends <= self.hour]
        for lot in over:
            self.city_gave -= lot.left
            lot.gone += lot.left
            lot.left = 0
        return len(over)
