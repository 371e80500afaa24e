"""Settlements against the ledger: the same day, once, whatever stops in between."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from sanpo.ground.actors import Anonymous
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.services.cash import shops
from sanpo.services.cash.errors import ShopDidNotAnswer
from sanpo.services.cash.settling import settling, telling
from sanpo.services.cash.settling.model import Settlement
from sanpo.services.cash.settling.settling import FEES_ACCOUNT, PAYOUTS_ACCOUNT, list_settlements
from sanpo.services.cash.settling.statements import make_statement
from tests.services.cash.benefits.conftest import Giving
from tests.services.cash.conftest import Town
from tests.services.cash.settling.conftest import Market
from tests.world import OPERATOR

SINCE, UNTIL = date(2026, 1, 1), date(2026, 12, 31)
WEBHOOK = "https://shop.example/hook"


def figures(found: list[Settlement]) -> list[tuple[Any, ...]]:
    return [
        (one.day.day, one.brought_yen, one.taken_yen, one.refunded_yen, one.fee_yen, one.payout_yen, one.carried_yen)
        for one in found
    ]


def second_shop(town: Town) -> shops.Shop:
    draft = shops.ShopDraft(town.other.organisation_id, "SAKE", "酒店", "5921", "大町")
    return shops.register_shop(town.city, OPERATOR, draft)


def test_shop_is_paid_the_same_day_what_it_took_net_of_refunds_and_fees(market: Market) -> None:
    payment_id = market.sell(5_000)
    market.give_back(payment_id, 1_000)
    market.at("2026-04-01", 21)
    assert market.settle() == []
    market.at("2026-04-01", 22)
    found = market.settle()
    assert figures(found) == [(1, 0, 5_000, 1_000, 80, 3_920, 0)]
    assert (market.town.till_yen, market.yen_of(FEES_ACCOUNT), market.yen_of(PAYOUTS_ACCOUNT)) == (0, 80, 3_920)
    assert market.settle() == []
    assert list_settlements(market.town.city, market.town.till, market.town.cafe.shop_id, SINCE, UNTIL) == found


def test_refund_after_the_settlement_is_carried_over_until_the_shop_has_made_up_for_it(market: Market) -> None:
    payment_id = market.sell(5_000)
    market.at("2026-04-01", 22)
    market.settle()
    market.at("2026-04-02", 10)
    market.give_back(payment_id, 5_000)
    market.at("2026-04-02", 22)
    assert figures(market.settle()) == [(2, 0, 0, 5_000, -100, 0, -4_900)]
    market.at("2026-04-03", 23)
    assert market.settle() == []
    market.at("2026-04-04", 9)
    market.sell(6_000)
    market.at("2026-04-04", 22)
    assert figures(market.settle()) == [(4, -4_900, 6_000, 0, 120, 980, 0)]
    assert (market.town.till_yen, market.yen_of(FEES_ACCOUNT), market.yen_of(PAYOUTS_ACCOUNT)) == (0, 120, 5_880)


def test_what_is_sold_after_the_settlement_is_the_next_days(market: Market) -> None:
    market.sell(1_000)
    market.at("2026-04-01", 22)
    market.settle()
    market.sell(2_000)
    assert market.settle() == []
    market.at("2026-04-02", 22)
    assert figures(market.settle()) == [(2, 0, 2_000, 0, 40, 1_960, 0)]


def test_day_that_was_missed_is_settled_when_the_city_works_again(market: Market) -> None:
    market.sell(1_000)
    market.at("2026-04-01", 23)
    market.sell(300)
    market.at("2026-04-02", 8)
    market.sell(500)
    assert figures(market.settle()) == [(1, 0, 1_000, 0, 20, 980, 0)]
    assert market.settle() == []
    market.at("2026-04-02", 22)
    assert figures(market.settle()) == [(2, 0, 800, 0, 16, 784, 0)]


def test_run_into_the_next_closing_hour_leaves_all_to_that_day(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*given: Any) -> None:
        post(*given)
        market.at("2026-04-02", 22)

    post = settling._post
    market.sell(1_000)
    market.at("2026-04-02", 21)
    monkeypatch.setattr(settling, "_post", slow)
    assert market.settle() == []
    monkeypatch.undo()
    assert figures(market.settle()) == [(2, 0, 1_000, 0, 20, 980, 0)]
    assert market.yen_of(PAYOUTS_ACCOUNT) == 980


def test_settlement_at_once_leaves_the_closing_hour_to_the_other_shops(market: Market) -> None:
    market.sell(1_000)
    assert figures(settling.settle(market.town.city, OPERATOR, at_once=True)) == [(1, 0, 1_000, 0, 20, 980, 0)]
    assert settling.settle(market.town.city, OPERATOR, at_once=True) == []
    other = second_shop(market.town)
    assert market.town.pay(market.town.aya, 300, shops.printable_code(other))
    assert market.settle() == []
    market.at("2026-04-01", 22)
    assert [one.shop_id for one in market.settle()] == [other.shop_id]


@pytest.mark.parametrize("step", ["_insert", "_post", "publish", "divide"])
def test_run_that_was_cut_off_is_ended_by_the_next(market: Market, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    market.sell(1_000)
    other = second_shop(market.town)
    assert market.town.pay(market.town.aya, 2_000, shops.printable_code(other))
    market.at("2026-04-01", 22)
    monkeypatch.setattr(settling, step, cut_off_at_second_call(getattr(settling, step)))
    with pytest.raises(ConnectionError):
        market.settle()
    monkeypatch.undo()
    assert market.yen_of(PAYOUTS_ACCOUNT) == 980
    assert [(one.shop_id, one.payout_yen) for one in market.settle()] == [(other.shop_id, 1_960)]
    assert market.settle() == []
    assert (market.yen_of(PAYOUTS_ACCOUNT), market.yen_of(FEES_ACCOUNT)) == (2_940, 60)


def cut_off_at_second_call(real: Callable[..., Any]) -> Callable[..., Any]:
    calls: list[int] = []

    def stand_in(*given: Any, **more: Any) -> Any:
        calls.append(1)
        found = real(*given, **more)
        if len(calls) == 2:
            raise ConnectionError
        return found

    return stand_in


def test_runs_at_the_same_time_pay_once(market: Market) -> None:
    market.sell(1_000)
    market.at("2026-04-01", 22)
    with ThreadPoolExecutor(4) as threads:
        found = [run.result() for run in [threads.submit(market.settle) for _ in range(4)]]
    assert sum(map(len, found)) == 1
    assert (market.town.till_yen, market.yen_of(PAYOUTS_ACCOUNT)) == (0, 980)


def test_sale_that_points_have_paid_is_paid_out_in_money(market: Market) -> None:
    town = market.town
    Giving(town, town.cafe).points(town.aya, 300)
    payment_id = market.sell(1_000)
    market.at("2026-04-01", 22)
    assert figures(market.settle()) == [(1, 0, 1_000, 0, 20, 980, 0)]
    day = date(2026, 4, 1)
    lines = make_statement(town.city, town.till, town.cafe.shop_id, day, day).lines
    sales = [(line.amount_yen, line.reference) for line in lines if line.kind == "sale"]
    assert sales == [(1_000, payment_id)]  # how much of it was points is not the shop's to know
    market.at("2026-04-02")
    market.give_back(payment_id, 1_000)
    lines = make_statement(town.city, town.till, town.cafe.shop_id, date(2026, 4, 2), date(2026, 4, 2)).lines
    assert [line.amount_yen for line in lines if line.kind == "refund"] == [-1_000]
    market.at("2026-04-02", 22)
    assert figures(market.settle()) == [(2, 0, 0, 1_000, -20, 0, -980)]


def test_settlements_are_seen_by_the_shop_and_by_officers_only(market: Market) -> None:
    town = market.town
    market.sell(1_000)
    market.at("2026-04-01", 22)
    found = market.settle()
    shop_id = town.cafe.shop_id
    assert list_settlements(town.city, town.world.officer, shop_id, SINCE, UNTIL) == found
    for actor, error in ((town.other, NotPermitted), (town.aya, NotPermitted), (Anonymous(), NotSignedIn)):
        with pytest.raises(error):
            list_settlements(town.city, actor, shop_id, SINCE, UNTIL)
    with pytest.raises(NotFound):
        list_settlements(town.city, town.till, "shp_none", SINCE, UNTIL)
    with pytest.raises(NotPermitted):
        settling.settle(town.city, town.till)


def test_shop_is_told_of_its_settlement_and_again_where_it_did_not_answer(
    market: Market, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[tuple[str, bytes]] = []
    monkeypatch.setattr(telling, "find_webhook", lambda tx, organisation_no: WEBHOOK)
    monkeypatch.setattr(telling, "deliver", lambda city, url, message_id, body: sent.append((message_id, body)))
    market.sell(1_000)
    market.at("2026-04-01", 22)
    [one] = market.settle()
    assert queued(market) == [(telling.TASK, {"settlement_id": one.settlement_id})]
    telling.tell_settlement(market.town.city, {"settlement_id": one.settlement_id})
    [(message_id, body)] = sent
    assert message_id == one.settlement_id
    assert b'"payout_yen":980' in body
    assert b'"type":"cash.settled"' in body
    monkeypatch.undo()
    monkeypatch.setattr(telling, "find_webhook", lambda tx, organisation_no: "http://127.0.0.1:9/hook")
    with pytest.raises(ShopDidNotAnswer):
        telling.tell_settlement(market.town.city, {"settlement_id": one.settlement_id})
    monkeypatch.setattr(telling, "find_webhook", lambda tx, organisation_no: None)
    telling.tell_settlement(market.town.city, {"settlement_id": one.settlement_id})


def queued(market: Market) -> list[tuple[str, Any]]:
    with market.town.city.transaction(OPERATOR) as tx:
        return [(row.task_name, row.args) for row in tx.all("select task_name, args from ground.procrastinate_jobs")]
