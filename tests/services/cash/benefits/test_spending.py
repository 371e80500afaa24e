"""Lots pay before money, in their order; refunds restore them; what is over goes back to the funder."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sanpo.ground.clock import FixedClock
from sanpo.services.cash.benefits.campaigns import get_campaign
from sanpo.services.cash.benefits.expiring import expire_lots
from sanpo.services.cash.benefits.giving import Gift, claim, give, leave, offers_of
from sanpo.services.cash.benefits.holdings import benefits_of
from sanpo.services.cash.model import number_of
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.benefits.conftest import Giving
from tests.world import OPERATOR


def test_first_to_expire_is_spent_first_and_money_last(giving: Giving) -> None:
    town = giving.town
    giving.points(town.aya, 300, days=20)
    giving.points(town.aya, 500, days=10)
    assert giving.lots(town.aya) == [500, 300]
    giving.pay(town.aya, 600)
    assert (giving.lots(town.aya), town.yen(town.aya), town.till_yen) == ([200], 10_000, 600)
    giving.pay(town.aya, 1_000)
    assert (giving.lots(town.aya), town.yen(town.aya), town.till_yen) == ([], 9_200, 1_600)
    assert (giving.benefits_yen(town.aya), giving.benefits_yen(town.ben)) == (0, 0)
    giving.check_books()


def test_voucher_pays_first_but_only_in_its_shops(giving: Giving) -> None:
    town = giving.town
    giving.points(town.aya, 300, days=5)
    giving.points(town.aya, 500, days=10, shop=giving.books)
    giving.pay(town.aya, 100)
    assert giving.lots(town.aya) == [500, 200]
    giving.pay(town.aya, 600, giving.books)
    assert (giving.lots(town.aya), town.yen(town.aya)) == ([100], 10_000)


def test_payment_that_fails_leaves_the_lots_alone(giving: Giving) -> None:
    town = giving.town
    giving.points(town.ben, 300)
    assert town.pay(town.ben, 301) is Outcome.NOT_ENOUGH_MONEY
    assert giving.lots(town.ben) == [300]
    giving.pay(town.ben, 300)
    assert (giving.lots(town.ben), giving.benefits_yen(town.ben)) == ([], 0)


def test_resident_sees_own_lots_with_their_end_and_nobody_elses(giving: Giving) -> None:
    giving.points(giving.town.aya, 300, days=0, shop=giving.books)
    found = benefits_of(giving.city, giving.town.aya)
    [lot] = found.lots
    assert (found.total_yen, lot.name("en"), lot.shop_ids) == (300, "Spring", [giving.books.shop_id])
    assert lot.expires_at.astimezone(giving.city.settings.zone).isoformat() == "2026-04-02T00:00:00+09:00"
    assert benefits_of(giving.city, giving.town.ben).lots == []


def test_expired_lot_pays_nothing_and_goes_back_to_the_city(giving: Giving, clock: FixedClock) -> None:
    town = giving.town
    giving.points(town.aya, 300, days=1)
    gave = giving.city_gave_yen
    clock.advance(days=1, hours=14, minutes=59)
    assert (expire_lots(giving.city), giving.lots(town.aya)) == (0, [300])
    clock.advance(minutes=1)
    assert giving.lots(town.aya) == []
    giving.pay(town.aya, 100)
    assert town.yen(town.aya) == 9_900
    assert [expire_lots(giving.city), expire_lots(giving.city)] == [1, 0]
    assert (giving.benefits_yen(town.aya), giving.city_gave_yen) == (0, gave - 300)
    giving.check_books()


def test_refund_gives_money_first_and_then_the_lot_spent_last(giving: Giving) -> None:
    town = giving.town
    giving.points(town.aya, 200, days=10)
    giving.points(town.aya, 300, days=20)
    payment_id = giving.pay(town.aya, 600)
    assert (giving.lots(town.aya), town.yen(town.aya)) == ([], 9_900)
    assert giving.refund(payment_id, 250) is Outcome.DONE
    assert (giving.lots(town.aya), town.yen(town.aya)) == ([150], 10_000)
    assert giving.refund(payment_id, 250) is Outcome.DONE
    assert giving.lots(town.aya) == [100, 300]
    assert giving.refund(payment_id, 101) is Outcome.MORE_THAN_WAS_PAID
    assert giving.refund(payment_id, 100) is Outcome.DONE
    assert (giving.lots(town.aya), giving.benefits_yen(town.aya), town.till_yen) == ([200, 300], 500, 0)
    giving.check_books()


def test_refund_of_an_expired_lot_goes_to_its_funder(giving: Giving, clock: FixedClock) -> None:
    town = giving.town
    giving.points(town.aya, 200, days=1)
    payment_id, gave = giving.pay(town.aya, 300), giving.city_gave_yen
    clock.advance(days=2)
    assert giving.refund(payment_id, 300) is Outcome.DONE
    assert (giving.lots(town.aya), town.yen(town.aya), town.till_yen) == ([], 10_000, 0)
    assert giving.city_gave_yen == gave - 200
    giving.check_books()


def earning(giving: Giving, **more: Any) -> str:
    given: dict[str, Any] = {"rate_permille": 200, "cap_yen": 500, "budget_yen": 700, "by_claim": True, **more}
    return giving.open(amount_yen=0, **given).campaign_id


def test_payment_in_money_earns_up_to_the_residents_cap_and_the_budget(giving: Giving) -> None:
    town = giving.town
    campaign_id = earning(giving, valid_days=60)
    giving.pay(town.aya, 1_000)
    assert giving.lots(town.aya) == []  # who does not take part earns nothing
    for who in (town.aya, town.ben):
        assert [claim(giving.city, who, campaign_id).residents for _ in range(2)] == [1, 0]
    town.charge(town.ben, 5_000)
    giving.pay(town.aya, 1_999)
    assert giving.lots(town.aya) == [399]
    giving.pay(town.aya, 1_399)  # 399 of it by what was earned
    assert giving.lots(town.aya) == [101]
    giving.pay(town.ben, 2_000)
    assert giving.lots(town.ben) == [200]  # no more was left
    giving.check_books()


def test_refund_takes_back_what_the_payment_earned(giving: Giving) -> None:
    town = giving.town
    claim(giving.city, town.aya, earning(giving))
    payment_id = giving.pay(town.aya, 1_000)
    assert giving.refund(payment_id, 500) is Outcome.DONE
    assert (giving.lots(town.aya), town.yen(town.aya)) == ([100], 9_500)
    giving.pay(town.aya, 60)
    assert giving.refund(payment_id, 500) is Outcome.DONE
    # 40 of the 100 were left; the 60 that were spent are missing in the money.
    assert (giving.lots(town.aya), town.yen(town.aya), town.till_yen) == ([], 9_940, 60)
    giving.check_books()


def test_payments_refunds_claims_and_expiry_at_once_keep_lots_and_ledger_in_step(
    giving: Giving, clock: FixedClock
) -> None:
    town, city = giving.town, giving.city
    campaign = giving.open(amount_yen=0, rate_permille=300, cap_yen=5_000, budget_yen=1_000, by_claim=True)
    claim(city, town.aya, campaign.campaign_id)
    giving.points(town.aya, 400, days=0)
    giving.points(town.aya, 500, days=9)
    giving.points(town.aya, 600, days=9, shop=giving.books)
    paid = [giving.pay(town.aya, 300), giving.pay(town.aya, 700, giving.books)]
    clock.advance(days=1)
    more = giving.open(amount_yen=50, by_claim=True)
    work: list[Callable[[], object]] = [
        lambda: expire_lots(city),
        lambda: giving.pay(town.aya, 250),
        lambda: giving.refund(paid[0], 100),
        lambda: giving.refund(paid[1], 200),
        lambda: claim(city, town.aya, more.campaign_id),
        lambda: giving.pay(town.aya, 150, giving.books),
    ]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(each) for each in work * 3]:
            done.result()
    assert giving.benefits_yen(town.aya) == sum(giving.lots(town.aya))
    assert giving.campaign_yen(campaign) == get_campaign(city, campaign.campaign_id).left_yen
    shop_yen = town.till_yen + giving.yen(number_of("shop", giving.books.shop_no))
    assert shop_yen == 1_000 + 3 * 400 - 3 * 300
    giving.check_books()


def test_who_leaves_earns_nothing_more_and_comes_back_under_the_same_cap(giving: Giving) -> None:
    town, city = giving.town, giving.city
    campaign_id = earning(giving, cap_yen=300)
    for who in (town.aya, town.ben):
        claim(city, who, campaign_id)
    giving.pay(town.aya, 1_000)
    assert [offer.is_claimed for offer in offers_of(city, town.aya)] == [True]
    for _ in range(2):
        leave(city, town.aya, campaign_id)
    giving.pay(town.aya, 200)  # with what was earned, which stays
    giving.pay(town.aya, 1_000)
    assert (giving.lots(town.aya), [offer.is_claimed for offer in offers_of(city, town.ben)]) == ([], [True])
    assert give(city, OPERATOR, campaign_id, Gift(everyone=True)).residents == 0  # the city takes nobody back
    giving.pay(town.aya, 1_000)
    assert giving.lots(town.aya) == []
    assert [claim(city, town.aya, campaign_id).residents for _ in range(2)] == [1, 0]
    giving.pay(town.aya, 1_000)
    assert giving.lots(town.aya) == [100]


def test_two_phones_cannot_both_spend_the_last_points(giving: Giving) -> None:
    town = giving.town
    giving.points(town.ben, 300)
    giving.points(town.ben, 200, shop=town.cafe)
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda _: town.pay(town.ben, 240), range(8)))
    assert sorted(outcome.value for outcome in outcomes) == ["done"] * 2 + ["not_enough_money"] * 6
    assert (giving.lots(town.ben), giving.benefits_yen(town.ben), town.till_yen) == ([20], 20, 480)
    giving.check_books()
