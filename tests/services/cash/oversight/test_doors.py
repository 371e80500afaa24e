"""Doors of oversight: an officer's over HTTP and on the command line, and the resident's notices."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import Result

from sanpo.services.cash.oversight.alerts import watch
from sanpo.services.cash.oversight.suspending import find_news, reopen_wallet, suspend_wallet
from tests.journeys.town import sign_in
from tests.services.cash.settling.conftest import Market
from tests.services.cash.test_doors import program
from tests.world import OPERATOR

OVERSIGHT = "/api/cash/oversight"
DAYS = {"since": "2026-03-31", "until": "2026-04-02"}
Make = Callable[[], TestClient[Any]]


@pytest.fixture
def officer(market: Market, client: Make) -> TestClient[Any]:
    return sign_in(market.town.city, client, market.town.world.officer.staff_id)


def small_charges(market: Market) -> None:
    for _ in range(10):
        market.town.charge(market.town.aya, 1)
    watch(market.town.city)


def test_officer_looks_at_an_alert_stops_the_wallet_and_opens_it_again(
    market: Market, client: Make, officer: TestClient[Any]
) -> None:
    small_charges(market)
    [alert] = officer.get(f"{OVERSIGHT}/alerts", params=DAYS).json()
    named = {rule["name"]: rule["text"] for rule in officer.get(f"{OVERSIGHT}/alert-rules").json()}
    assert "10 or more charges" in named[alert["rule"]]["en"]
    assert "subject_no" not in alert
    looks = f"{OVERSIGHT}/alerts/{alert['alert_id']}/looks"
    assert officer.post(looks, json={"purpose": "curiosity"}).status_code == 400
    assert officer.post(looks, json={"purpose": "review"}).json()["subject_no"] == market.town.aya.subject_no
    body = {"holder": alert["alert_id"], "reason": "確認のため"}
    assert officer.post(f"{OVERSIGHT}/suspensions", json=body).status_code == 204
    [stopped] = officer.get(f"{OVERSIGHT}/suspensions").json()
    assert stopped["reason"] == "確認のため"
    aya = sign_in(market.town.city, client, market.town.aya.resident_id)
    [notice] = aya.get("/api/cash/me/notices", headers={"accept-language": "en"}).json()
    assert notice["kind"] == "suspended"
    assert notice["message"].endswith("Reason: 確認のため")
    charge = {"charge_id": "chg_01k9xy0000000000000000000a", "amount_yen": 1}
    refused = aya.post("/api/cash/me/charges", json=charge)
    assert (refused.status_code, refused.json()["outcome"]) == (409, "wallet_is_suspended")
    assert officer.post(f"{OVERSIGHT}/reopenings", json=body).status_code == 204
    assert officer.post(f"{OVERSIGHT}/reopenings", json=body).status_code == 409


def test_wallet_page_says_that_it_is_stopped_as_long_as_it_is(market: Market, client: Make) -> None:
    town = market.town
    aya = sign_in(town.city, client, town.aya.resident_id)
    stopped, opened = "Your wallet is stopped", "Your wallet can be used again"

    def page() -> str:
        return aya.get("/cash", headers={"accept": "text/html", "accept-language": "en"}).text

    assert stopped not in page()
    suspend_wallet(town.city, OPERATOR, town.aya.resident_id, "<b>lost</b>")
    assert stopped in page()
    assert "&lt;b&gt;lost" in page()
    reopen_wallet(town.city, OPERATOR, town.aya.resident_id, "found")
    assert opened in page()
    assert stopped not in page()
    market.at("2026-06-01")
    assert find_news(town.city, town.aya) is None


def test_officer_reads_limits_unused_balances_and_wallets_at_rest(market: Market, client: Make) -> None:
    market.at("2026-10-01")
    officer = sign_in(market.town.city, client, market.town.world.officer.staff_id)
    assert officer.get(f"{OVERSIGHT}/limits", params=DAYS).json()["refused"] == []
    made = officer.post(f"{OVERSIGHT}/unused-balances/2026-09-30").json()
    assert (made["unused_yen"], made["due_day"]) == (10_000, "2026-11-30")
    assert officer.get(f"{OVERSIGHT}/unused-balances").json() == [made]
    assert officer.get(f"{OVERSIGHT}/unused-balances/csv").text.splitlines()[1].startswith("2026-09-30,1,")
    assert officer.post(f"{OVERSIGHT}/unused-balances/2026-10-01").status_code == 400
    assert officer.get(f"{OVERSIGHT}/dormant").json() == []


def test_oversight_is_closed_to_residents_programs_and_strangers(market: Market, client: Make) -> None:
    aya = sign_in(market.town.city, client, market.town.aya.resident_id)
    till = program(market.town, client, market.town.till.organisation_id)
    for path in ("limits", "alerts", "alert-rules", "suspensions", "unused-balances", "unused-balances/csv", "dormant"):
        answers = [http.get(f"{OVERSIGHT}/{path}", params=DAYS).status_code for http in (aya, till, client())]
        assert answers == [403, 403, 401], path
    assert till.get("/api/cash/me/notices").status_code == 403
    body = {"holder": market.town.aya.resident_id, "reason": "x"}
    for path in ("suspensions", "reopenings"):
        assert [http.post(f"{OVERSIGHT}/{path}", json=body).status_code for http in (aya, till)] == [403, 403]


def test_commands_oversee_wallets(market: Market, run: Callable[..., Result], tmp_path: Path) -> None:
    days = ("--since", "2026-03-31", "--until", "2026-04-02")
    small_charges(market)
    [alert] = json.loads(run("alerts", *days, "--json").stdout)
    assert "times" in run("alerts", *days).stdout
    assert alert["rule"] in {rule["name"] for rule in json.loads(run("alert-rules", "--json").stdout)}
    assert "many_small" in run("alert-rules").stdout
    look = json.loads(run("alert", alert["alert_id"], "--purpose", "authority", "--json").stdout)
    assert look["subject_no"] == market.town.aya.subject_no
    [stopped] = json.loads(run("suspend-wallet", alert["alert_id"], "確認", "--json").stdout)
    assert json.loads(run("suspended-wallets", "--json").stdout) == [stopped]
    assert json.loads(run("reopen-wallet", market.town.aya.resident_id, "確認済み", "--json").stdout) == []
    assert json.loads(run("limits", *days, "--json").stdout)["refused"] == []
    assert "near_day" in run("limits", *days).stdout
    assert json.loads(run("dormant", "--json").stdout) == []
    market.at("2026-10-01")
    file = tmp_path / "unused.csv"
    made = json.loads(run("unused-balance", "2026-09-30", "--to", str(file), "--json").stdout)
    assert (made["unused_yen"], len(file.read_bytes().splitlines())) == (10_010, 2)
    assert "2026-11-30" in run("unused-balance", "2026-09-30").stdout
