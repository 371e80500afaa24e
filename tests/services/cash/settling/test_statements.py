"""Statements of a shop add up against the ledger, and hold nothing that a spreadsheet would run."""

import csv
import io
from datetime import date, timedelta

import pytest

from sanpo.ground.errors import NotPermitted
from sanpo.ledger import balance_at
from sanpo.services.cash import shops
from sanpo.services.cash.errors import PeriodIsInvalid, StatementIsTooLong
from sanpo.services.cash.model import number_of
from sanpo.services.cash.settling import statements
from sanpo.services.cash.settling.statements import make_statement, statement_csv
from sanpo.services.cash.tables import to_csv
from tests.services.cash.settling.conftest import Market
from tests.world import OPERATOR

FIRST, LAST = date(2026, 4, 2), date(2026, 4, 3)


def traded(market: Market) -> list[str]:
    """A day before the period, two days in it and one after; the ids of the payments in the period."""
    market.sell(1_000)
    market.at("2026-04-02")
    paid = [market.sell(2_000), market.sell(500)]
    market.at("2026-04-02", 22)
    market.settle()
    market.at("2026-04-03")
    market.give_back(paid[0], 1_500)
    market.at("2026-04-03", 22)
    market.settle()
    market.at("2026-04-04")
    market.sell(700)
    return paid


def test_statement_adds_up_from_one_balance_of_the_ledger_to_the_other(market: Market) -> None:
    paid = traded(market)
    city, cafe = market.town.city, market.town.cafe
    found = make_statement(city, market.town.till, cafe.shop_id, FIRST, LAST)
    kinds = [(line.kind, line.amount_yen) for line in found.lines]
    assert kinds == [
        ("sale", 2_000),
        ("sale", 500),
        ("fee", -70),
        ("payout", -3_430),
        ("refund", -1_500),
        ("fee_back", 30),
    ]
    assert (found.opening_yen, found.closing_yen) == (1_000, -1_470)
    for moment, yen in ((found.since, found.opening_yen), (found.until, found.closing_yen)):
        sums = balance_at(city, OPERATOR, number_of("shop", cafe.shop_no), moment - timedelta(microseconds=1))
        assert sums.credits_posted - sums.debits_posted == yen
    references = [line.reference for line in found.lines]
    assert references[:2] == paid
    assert references[2] == references[3] != references[5]
    assert [reference[:4] for reference in references[2:]] == ["stl_", "stl_", "rfd_", "stl_"]


def test_statement_in_pages_is_the_same(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    traded(market)
    shop_id = market.town.cafe.shop_id
    whole = make_statement(market.town.city, OPERATOR, shop_id, FIRST, LAST)
    monkeypatch.setattr(statements, "_PAGE", 2)
    assert make_statement(market.town.city, OPERATOR, shop_id, FIRST, LAST) == whole
    monkeypatch.setattr(statements, "MAX_LINES", 5)
    with pytest.raises(StatementIsTooLong):
        make_statement(market.town.city, OPERATOR, shop_id, FIRST, LAST)


def test_statement_file_has_both_balances_and_the_readers_words(market: Market) -> None:
    traded(market)
    city = market.town.city
    found = make_statement(city, market.town.till, market.town.cafe.shop_id, FIRST, LAST)
    body = statement_csv(city, found, "ja", bom=True)
    assert body.startswith(b"\xef\xbb\xbf")
    names, opening, *lines, closing = csv.reader(io.StringIO(body.decode("utf-8-sig")))
    assert names[:4] == ["日時", "内容", "金額（円）", "残高（円）"]
    assert (opening[1], opening[3], closing[1], closing[3]) == ("繰越残高", "1000", "期末残高", "-1470")
    assert int(opening[3]) + sum(int(line[2]) for line in lines) == int(closing[3])
    assert statement_csv(city, found, "en").startswith(b"When,What,")


def test_shop_with_a_formula_for_a_name_runs_nothing_in_a_spreadsheet(market: Market) -> None:
    draft = shops.ShopDraft(market.town.other.organisation_id, "EVIL", '=HYPERLINK("x")', "5812", "大町")
    shop = shops.register_shop(market.town.city, OPERATOR, draft)
    found = make_statement(market.town.city, OPERATOR, shop.shop_id, FIRST, LAST)
    cells = [row[-1] for row in csv.reader(io.StringIO(statement_csv(market.town.city, found, "en").decode()))]
    assert cells[1:] == ['\'=HYPERLINK("x")'] * 2


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_begins_a_formula_is_marked_as_text(text: str) -> None:
    [row] = list(csv.reader(io.StringIO(to_csv(("name",), [(text,)]).decode(), newline="")))[1:]
    assert row == [f"'{text}"]
    assert to_csv(("yen",), [(-5,)]) == b"yen\r\n-5\r\n"


def test_statement_is_for_the_shop_itself_and_a_period_that_can_be(market: Market) -> None:
    town = market.town
    with pytest.raises(NotPermitted):
        make_statement(town.city, town.other, town.cafe.shop_id, FIRST, LAST)
    for since, until in ((LAST, FIRST), (date.min, LAST), (FIRST, date.max)):
        with pytest.raises(PeriodIsInvalid):
            make_statement(town.city, town.till, town.cafe.shop_id, since, until)
