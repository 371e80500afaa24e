"""The doors of the benefits: who may come through which."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.people import SecretProof, create_client, issue_token
from sanpo.services.cash.benefits import cli, funds
from sanpo.services.cash.benefits.errors import DepositIsAnother
from sanpo.services.cash.cli import cli as cash
from tests.journeys.town import sign_in
from tests.services.cash.benefits.conftest import Giving
from tests.world import OPERATOR

Make = Callable[[], TestClient[Any]]
AT = "/api/cash/campaigns"


@pytest.fixture
def officer(giving: Giving, client: Make) -> TestClient[Any]:
    return sign_in(giving.city, client, giving.town.world.officer.staff_id)


def plan(giving: Giving, **more: Any) -> dict[str, Any]:
    days = {"first_day": "2026-04-01", "last_day": "2026-04-30"}
    return {"name_ja": "春の給付", "name_en": "Spring", "budget_yen": 900, "amount_yen": 300, **days, **more}


def test_resident_reads_what_is_left_and_when_it_ends(giving: Giving, client: Make) -> None:
    giving.points(giving.town.aya, 300, days=9, shop=giving.books)
    giving.points(giving.town.aya, 200, days=5)
    aya, ben = (sign_in(giving.city, client, who.resident_id) for who in (giving.town.aya, giving.town.ben))
    found = aya.get("/api/cash/me/benefits", headers={"accept-language": "en"}).json()
    assert (found["total_yen"], [lot["left_yen"] for lot in found["lots"]]) == (500, [300, 200])
    assert [lot["shop_ids"] for lot in found["lots"]] == [[giving.books.shop_id], []]
    assert (found["lots"][1]["name"], found["lots"][1]["expires_at"]) == ("Spring", "2026-04-06T15:00:00Z")
    assert ben.get("/api/cash/me/benefits").json() == {"total_yen": 0, "lots": []}
    assert client().get("/api/cash/me/benefits").status_code == 401


def test_officer_plans_opens_gives_and_ends(giving: Giving, client: Make, officer: TestClient[Any]) -> None:
    made = officer.post(AT, json=plan(giving, by_claim=True, shop_ids=[giving.books.shop_id]))
    assert (made.status_code, made.json()["state"]) == (201, "draft")
    at = f"{AT}/{made.json()['campaign_id']}"
    aya = sign_in(giving.city, client, giving.town.aya.resident_id)
    early = aya.post(f"{at}/claims")
    assert (early.status_code, early.json()["code"]) == (409, "cash.campaign_is_not_open")
    assert officer.post(f"{at}/open").json()["state"] == "open"
    [offer] = aya.get("/api/cash/me/campaigns").json()
    assert (offer["name_en"], offer["is_claimed"]) == ("Spring", False)
    assert aya.post(f"{at}/claims").json() == {"residents": 1, "before": 0, "yen": 300}
    assert aya.get("/api/cash/me/campaigns").json()[0]["is_claimed"] is True
    assert (aya.delete(f"{at}/claims").status_code, client().delete(f"{at}/claims").status_code) == (204, 401)
    assert officer.post(f"{at}/gifts", json={"everyone": True}).json() == {"residents": 1, "before": 1, "yen": 300}
    figures = officer.get(f"{at}/figures").json()
    assert figures == {"residents": 2, "granted_yen": 600, "held_yen": 600, "spent_yen": 0, "returned_yen": 0}
    ended = officer.post(f"{at}/end").json()
    assert (ended["state"], ended["left_yen"]) == ("ended", 0)
    assert client().get(at).json() == client().get(AT, params={"state": "ended"}).json()[0]
    assert client().get(AT, params={"state": "open"}).json() == []
    assert client().get(f"{AT}/cmp_1").status_code == 404


def test_others_neither_plan_nor_give(giving: Giving, client: Make) -> None:
    at = f"{AT}/{giving.open(by_claim=True).campaign_id}"
    organisation_id = giving.town.world.company.organisation_id
    deposit = {"deposit_id": new_id("dep"), "organisation_id": organisation_id, "amount_yen": 1}
    calls = {AT: plan(giving), f"{at}/open": {}, f"{at}/end": {}, f"{at}/gifts": {"everyone": True}}
    calls["/api/cash/deposits"] = deposit
    aya = sign_in(giving.city, client, giving.town.aya.resident_id)
    for http, status in ((aya, 403), (client(), 401)):
        assert {path: http.post(path, json=body).status_code for path, body in calls.items()} == dict.fromkeys(
            calls, status
        )
        for path in (f"{at}/figures", f"/api/cash/funds/{organisation_id}"):
            assert http.get(path).status_code == status
    assert client().post(f"{at}/claims").status_code == 401


def test_organisation_sees_the_funds_that_it_has_paid_in(
    giving: Giving, client: Make, officer: TestClient[Any]
) -> None:
    organisation_id = giving.town.world.company.organisation_id
    body = {"deposit_id": new_id("dep"), "organisation_id": organisation_id, "amount_yen": 5_000}
    for _ in range(2):
        assert officer.post("/api/cash/deposits", json=body).json()["funds_yen"] == 5_000
    other = officer.post("/api/cash/deposits", json={**body, "amount_yen": 1})
    assert (other.status_code, other.json()["code"]) == (409, DepositIsAnother.code)
    assert officer.post("/api/cash/deposits", json={**body, "organisation_id": "org_none"}).status_code == 404
    made = create_client(giving.city, OPERATOR, organisation_id, name="books")
    program = client()
    token = issue_token(giving.city, SecretProof(made.client_id, made.secret)).token
    program.headers["authorization"] = f"Bearer {token}"
    assert program.get(f"/api/cash/funds/{organisation_id}").json()["funds_yen"] == 5_000
    assert program.get(f"/api/cash/funds/{giving.town.world.university.organisation_id}").status_code == 403
    campaign = officer.post(AT, json=plan(giving, organisation_id=organisation_id)).json()["campaign_id"]
    assert officer.post(f"{AT}/{campaign}/open").json()["state"] == "open"
    assert officer.get(f"/api/cash/funds/{organisation_id}").json()["funds_yen"] == 4_100
    assert program.get(f"{AT}/{campaign}/figures").json()["granted_yen"] == 0
    officer.post(f"{AT}/{campaign}/end")
    assert funds.funds_yen(giving.city, OPERATOR, organisation_id) == 5_000
    back = {"withdrawal_id": new_id("wdr"), "organisation_id": organisation_id, "amount_yen": 4_000}
    for _ in range(2):
        assert officer.post("/api/cash/withdrawals", json=back).json()["funds_yen"] == 1_000
    more = officer.post("/api/cash/withdrawals", json={**back, "withdrawal_id": new_id("wdr")})
    assert (more.status_code, more.json()["code"]) == (409, "cash.funds_do_not_suffice")
    assert program.post("/api/cash/withdrawals", json=back).status_code == 403
    giving.check_books()


def test_commands_do_the_same(giving: Giving, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    @contextmanager
    def opened() -> Iterator[City]:
        yield giving.city

    monkeypatch.setattr(cli, "open_city", opened)

    def run(*words: str) -> Any:
        return json.loads(CliRunner().invoke(cash, [*words, "--json"]).stdout)

    given = ["--name-ja", "春", "--name-en", "Spring", "--budget", "900", "--amount", "300"]
    days = ["--first-day", "2026-04-01", "--last-day", "2026-04-30", "--shop", giving.books.shop_id]
    [made] = run("campaigns", "create", *given, *days)
    campaign_id = made["campaign_id"]
    assert run("campaigns", "open", campaign_id)[0]["state"] == "open"
    named = tmp_path / "residents.txt"
    named.write_text(f"{giving.town.aya.resident_id}\n", encoding="utf-8")
    assert run("campaigns", "give", campaign_id, "--file", str(named)) == {"residents": 1, "before": 0, "yen": 300}
    assert run("campaigns", "give", campaign_id, "--area", "中央") == {"residents": 1, "before": 1, "yen": 300}
    shown = run("campaigns", "show", campaign_id)
    assert (shown["left_yen"], shown["held_yen"], shown["shop_ids"]) == (300, 600, [giving.books.shop_id])
    assert run("campaigns", "end", campaign_id)[0]["left_yen"] == 0
    assert [each["campaign_id"] for each in run("campaigns", "list")] == [campaign_id]
    assert "ended" in CliRunner().invoke(cash, ["campaigns", "list"]).stdout
    organisation_id = giving.town.world.company.organisation_id
    assert run("deposit", organisation_id, "700")["funds_yen"] == 700
    assert run("withdraw", organisation_id, "200")["funds_yen"] == 500
    assert run("funds", organisation_id)["funds_yen"] == 500
