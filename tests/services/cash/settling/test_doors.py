"""Doors of settlements: the shop's program over HTTP, the officer on the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar.testing import TestClient
from typer.testing import Result

from tests.journeys.town import sign_in
from tests.services.cash.settling.conftest import Market
from tests.services.cash.test_doors import program

PERIOD = {"since": "2026-04-01", "until": "2026-04-30"}
Make = Callable[[], TestClient[Any]]


def test_shop_reads_its_settlements_and_nobody_elses(market: Market, client: Make) -> None:
    market.sell(1_000)
    market.at("2026-04-01", 22)
    [made] = market.settle()
    path = f"/api/cash/shops/{market.town.cafe.shop_id}/settlements"
    till = program(market.town, client, market.town.till.organisation_id)
    [seen] = till.get(path, params=PERIOD).json()
    assert (seen["settlement_id"], seen["day"], seen["payout_yen"]) == (made.settlement_id, "2026-04-01", 980)
    other = program(market.town, client, market.town.other.organisation_id)
    aya = sign_in(market.town.city, client, market.town.aya.resident_id)
    assert [http.get(path, params=PERIOD).status_code for http in (other, aya, client())] == [403, 403, 401]
    assert till.get(path, params={**PERIOD, "since": "April"}).status_code == 400


def test_officer_settles_and_lists_on_the_command_line(market: Market, run: Callable[..., Result]) -> None:
    market.sell(1_000)
    market.at("2026-04-01", 22)
    [one] = json.loads(run("settle", "--json").stdout)
    assert (one["taken_yen"], one["fee_yen"], one["payout_yen"]) == (1_000, 20, 980)
    assert json.loads(run("settle", "--json").stdout) == []
    shop_id = market.town.cafe.shop_id
    period = ("--since", "2026-04-01", "--until", "2026-04-30")
    assert json.loads(run("settlements", shop_id, *period, "--json").stdout) == [one]
    assert "980" in run("settlements", shop_id, *period).stdout
    assert json.loads(run("settle", "--at-once", "--json").stdout) == []


def test_shop_reads_its_statement_and_invoices(market: Market, run: Callable[..., Result], client: Make) -> None:
    market.at("2026-04-30")
    market.sell(5_000)
    market.at("2026-04-30", 22)
    market.settle()
    [made] = json.loads(run("invoice", "2026-04", "--json").stdout)
    shop = f"/api/cash/shops/{market.town.cafe.shop_id}"
    till = program(market.town, client, market.town.till.organisation_id)
    statement = till.get(f"{shop}/statement", params=PERIOD).json()
    assert [line["amount_yen"] for line in statement["lines"]] == [5_000, -100, -4_900]
    table = till.get(f"{shop}/statement/csv", params={**PERIOD, "bom": True})
    assert (table.headers["content-type"].split(";")[0], table.content[:3]) == ("text/csv", b"\xef\xbb\xbf")
    [listed] = till.get(f"{shop}/invoices").json()
    one = till.get(f"/api/cash/invoices/{listed['invoice_id']}").json()
    assert (one["invoice"]["invoice_id"], one["invoice"]["tax_yen"], one["days"][0]["fee_yen"]) == (
        made["invoice_id"],
        9,
        100,
    )
    assert till.get(f"/api/cash/invoices/{listed['invoice_id']}/csv").text.splitlines()[1] == "2026-04-30,5000,100"
    other = program(market.town, client, market.town.other.organisation_id)
    assert other.get(f"/api/cash/invoices/{listed['invoice_id']}").status_code == 404
    assert other.get(f"{shop}/statement/csv", params=PERIOD).status_code == 403
    assert till.get(f"{shop}/statement", params={"since": "2026-04-30", "until": "2026-04-01"}).status_code == 400


def test_officer_writes_a_statement_and_lists_invoices_on_the_command_line(
    market: Market, run: Callable[..., Result], tmp_path: Path
) -> None:
    market.at("2026-04-30")
    market.sell(5_000)
    market.at("2026-04-30", 22)
    market.settle()
    shop_id, file = market.town.cafe.shop_id, tmp_path / "statement.csv"
    period = ("--since", "2026-04-01", "--until", "2026-04-30")
    told = json.loads(run("statement", shop_id, *period, "--to", str(file), "--lang", "en", "--json").stdout)
    assert (told["lines"], told["opening_yen"], told["closing_yen"]) == (3, 0, 0)
    assert len(file.read_bytes().splitlines()) == 6
    made = json.loads(run("invoice", "2026-04", "--json").stdout)
    assert json.loads(run("invoices", shop_id, "--json").stdout) == made
    assert "100" in run("invoices", shop_id).stdout
