"""Whatever is granted, paid, given back and expires: the lots are what plain lists say, and the ledger holds their sum."""

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.services.cash import paying, shops
from sanpo.services.cash.benefits.expiring import expire_lots
from sanpo.services.cash.benefits.giving import claim
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.benefits.conftest import Giving
from tests.services.cash.benefits.plain import BUDGET_YEN, CAP_YEN, RATE_PERMILLE, Plain
from tests.world import OPERATOR

WHO, YEN = st.sampled_from([0, 0, 0, 1]), st.integers(1, 400)
GRANT = st.tuples(st.just("grant"), WHO, st.integers(1, 90), st.integers(0, 2), st.sampled_from([None, 0, 1]))
PAY = st.tuples(st.just("pay"), WHO, st.integers(0, 1), YEN)
REFUND = st.tuples(st.just("refund"), st.integers(0, 4), st.integers(1, 150))
STEP = st.one_of(
    GRANT,
    PAY,
    PAY,
    REFUND,
    REFUND,
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("expire")),
)


class Side:
    """The service and the plain lists, side by side, for two new residents and two new shops."""

    def __init__(self, giving: Giving, clock: FixedClock) -> None:
        self.giving, self.clock = giving, clock
        town = giving.town
        # At 09:00 of a day on which nothing is left of the example before.
        zone = town.city.settings.zone
        local = clock.now().astimezone(zone)
        nine = local.replace(hour=9, minute=0, second=0, microsecond=0) + timedelta(days=9)
        clock.advance(seconds=(nine - local).total_seconds())
        expire_lots(town.city)
        self.people = town.world.residents(2)
        owner = town.world.company.organisation_id
        drafts = [shops.ShopDraft(owner, f"SHOP {n}", f"店{n}", "5812", "中央") for n in range(2)]
        self.shops = [shops.register_shop(town.city, OPERATOR, draft) for draft in drafts]
        for who in self.people:
            town.charge(who, 1_000)
        self.gave_before = giving.city_gave_yen
        more = {"rate_permille": RATE_PERMILLE, "cap_yen": CAP_YEN, "budget_yen": BUDGET_YEN, "valid_days": 2}
        claim(town.city, self.people[0], giving.open(amount_yen=0, days=99, by_claim=True, **more).campaign_id)
        self.plain = Plain([1_000, 1_000])
        self.paid: list[str] = []

    def grant(self, who: int, yen: int, days: int, shop: int | None) -> None:
        place = None if shop is None else self.shops[shop]
        self.giving.points(self.people[who], yen, days=days, shop=place)
        self.plain.grant(who, yen, 15 + 24 * (self.plain.day + days), shop)
        self.plain.city_gave += 1_000_000  # the campaign's budget, which stays open

    def pay(self, who: int, shop: int, yen: int) -> None:
        payment_id = new_id("pay")
        code = shops.printable_code(self.shops[shop])
        done = self.giving.town.pay(self.people[who], yen, code, payment_id)
        expected = Outcome.DONE if self.plain.pay(who, shop, yen) else Outcome.NOT_ENOUGH_MONEY
        assert done is expected
        if done.is_good:
            self.paid.append(payment_id)

    def refund(self, number: int, yen: int) -> None:
        if number < len(self.paid):
            done = paying.refund(self.giving.city, OPERATOR, new_id("rfd"), self.paid[number], yen)
            assert done is (Outcome.DONE if self.plain.refund(number, yen) else Outcome.MORE_THAN_WAS_PAID)

    def wait(self, hours: int) -> None:
        self.clock.advance(hours=hours)
        self.plain.hour += hours

    def expire(self) -> None:
        assert expire_lots(self.giving.city) == self.plain.expire()

    def check(self) -> None:
        giving, plain = self.giving, self.plain
        for place, who in enumerate(self.people):
            assert giving.lots(who) == [lot.left for lot in plain.good(place)]
            assert giving.benefits_yen(who) == sum(lot.left for lot in plain.lots if lot.who == place)
            assert giving.town.yen(who) == plain.money[place]
        assert [giving.yen(number_of("shop", shop.shop_no)) for shop in self.shops] == plain.shops
        assert giving.city_gave_yen - self.gave_before == plain.city_gave


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(grants=st.lists(GRANT, min_size=4, max_size=6), steps=st.lists(STEP, min_size=8, max_size=25))
def test_lots_are_what_plain_lists_say(
    giving: Giving, clock: FixedClock, grants: list[tuple[object]], steps: list[tuple[object]]
) -> None:
    side = Side(giving, clock)
    for name, *values in grants + steps:
        getattr(side, str(name))(*values)
        side.check()
    giving.check_books()
