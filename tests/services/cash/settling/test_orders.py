"""Orders to the bank: each payout once, to the account of that moment, in a message that says the same every time."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from typer.testing import Result

from sanpo.ground.errors import NotFound, NotPermitted
from sanpo.ground.ids import new_id
from sanpo.services.cash.errors import PayeeIsInvalid, PayerIsMissing
from sanpo.services.cash.settling import orders
from sanpo.services.cash.settling.model import terms
from sanpo.services.cash.settling.orders import count_without_payee, get_order, make_order, order_file, set_payee
from sanpo.services.cash.settling.pain import NAMESPACE, Payee
from tests.services.cash.settling.conftest import Market
from tests.world import OPERATOR

ACCOUNT = Payee("0157", "001", "1234567", "ﾅﾇｶﾏﾁｶﾌｴ")
PAYER = {"bank_code": "0126", "branch_code": "009", "account_no": "7654321", "holder": "ｻﾝﾎﾟｳｼ"}


@pytest.fixture(autouse=True)
def payer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "terms", lambda: replace(terms(), payer=PAYER))


def settled(market: Market, day: str = "2026-04-01", yen: int = 1_000) -> None:
    market.at(day)
    market.sell(yen)
    market.at(day, 22)
    market.settle()


def test_payout_is_ordered_once_to_the_account_of_that_moment(market: Market) -> None:
    city, shop_id = market.town.city, market.town.cafe.shop_id
    settled(market)
    assert make_order(city, OPERATOR) is None
    assert count_without_payee(city, OPERATOR) == 1
    set_payee(city, OPERATOR, shop_id, ACCOUNT)
    made = make_order(city, OPERATOR)
    assert made is not None
    assert (made.payouts, made.total_yen) == (1, 980)
    assert make_order(city, OPERATOR) is None
    set_payee(city, OPERATOR, shop_id, replace(ACCOUNT, account_no="0000001"))
    [credit] = get_order(city, OPERATOR, made.order_id).credits
    assert (credit.yen, credit.payee) == (980, ACCOUNT)
    settled(market, "2026-04-02", 500)
    second = make_order(city, OPERATOR)
    assert second is not None
    assert get_order(city, OPERATOR, second.order_id).credits[0].payee.account_no == "0000001"
    assert orders.list_orders(city, OPERATOR) == [second, made]


def test_orders_at_the_same_time_pay_once(market: Market) -> None:
    settled(market)
    set_payee(market.town.city, OPERATOR, market.town.cafe.shop_id, ACCOUNT)
    with ThreadPoolExecutor(4) as threads:
        runs = [threads.submit(make_order, market.town.city, OPERATOR) for _ in range(4)]
    assert [run.result() for run in runs].count(None) == 3


def test_city_without_an_account_orders_nothing(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orders, "terms", terms)
    with pytest.raises(PayerIsMissing):
        make_order(market.town.city, OPERATOR)


def test_file_for_the_bank_has_every_payout_and_their_sum(market: Market) -> None:
    city = market.town.city
    settled(market)
    set_payee(city, OPERATOR, market.town.cafe.shop_id, ACCOUNT)
    settled(market, "2026-04-02", 500)
    made = make_order(city, OPERATOR)
    assert made is not None
    body = order_file(city, OPERATOR, made.order_id)
    assert order_file(city, OPERATOR, made.order_id) == body
    root, names = ET.fromstring(body), {"p": NAMESPACE}
    said = {
        path: [each.text for each in root.findall(f".//p:{path.replace('/', '/p:')}", names)]
        for path in ("GrpHdr/NbOfTxs", "GrpHdr/CtrlSum", "InstdAmt", "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", "Cdtr/Nm")
    }
    assert said == {
        "GrpHdr/NbOfTxs": ["2"],
        "GrpHdr/CtrlSum": ["1470"],
        "InstdAmt": ["980", "490"],
        "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId": ["0157001"] * 2,
        "Cdtr/Nm": ["ﾅﾇｶﾏﾁｶﾌｴ"] * 2,
    }
    assert root.findtext(".//p:DbtrAcct/p:Id/p:Othr/p:Id", namespaces=names) == "7654321"
    assert [each.text for each in root.iterfind(".//p:EndToEndId", names)] == [
        credit.settlement_id for credit in get_order(city, OPERATOR, made.order_id).credits
    ]


@pytest.mark.parametrize(
    "change", [{"bank_code": "157"}, {"branch_code": "0011"}, {"account_no": "12345678"}, {"holder": "a\x07b"}]
)
def test_account_that_cannot_be_is_refused(market: Market, change: dict[str, str]) -> None:
    with pytest.raises(PayeeIsInvalid) as caught:
        set_payee(market.town.city, OPERATOR, market.town.cafe.shop_id, replace(ACCOUNT, **change))
    assert [caught.value.fields["field"]] == list(change)


def test_orders_are_for_officers(market: Market) -> None:
    city, till = market.town.city, market.town.till
    for action in (
        lambda: make_order(city, till),
        lambda: orders.list_orders(city, till),
        lambda: set_payee(city, till, market.town.cafe.shop_id, ACCOUNT),
    ):
        with pytest.raises(NotPermitted):
            action()
    with pytest.raises(NotFound):
        get_order(city, OPERATOR, new_id("ord"))


def test_commands_write_an_order_and_the_same_again(market: Market, run: Callable[..., Result], tmp_path: Path) -> None:
    settled(market)
    given = ("--bank", "0157", "--branch", "001", "--account", "1234567", "--holder", "ｶﾌｴ")
    assert json.loads(run("payee", market.town.cafe.shop_id, *given, "--json").stdout)["holder"] == "ｶﾌｴ"
    first, second = tmp_path / "1.xml", tmp_path / "2.xml"
    made = json.loads(run("order", "--to", str(first), "--json").stdout)
    assert made["without_account"] == 0
    assert json.loads(run("order", "--to", str(second), "--json").stdout)["order_id"] is None
    assert not second.exists()
    run("order", "--to", str(second), "--order", made["order_id"])
    assert second.read_bytes() == first.read_bytes()
    assert [order["order_id"] for order in json.loads(run("orders", "--json").stdout)] == [made["order_id"]]
