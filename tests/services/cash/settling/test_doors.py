"""Doors of settlements: the shop's program over HTTP, the officer on the command line."""

import json
from collections.abc import Callable
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
