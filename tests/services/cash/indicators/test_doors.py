"""The figures on pages, over HTTP and by command: for officers; a shop's street for its staff."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.services.cash.cli import cli
from sanpo.services.cash.errors import ShopIsInvalid
from sanpo.services.cash.flow import flow_purchases
from sanpo.services.cash.indicators import cli as commands
from sanpo.services.cash.shops import ShopDraft, register_shop
from tests.journeys.town import Make, sign_in
from tests.services.cash.indicators.test_indicators import MANY, Region, region
from tests.world import OPERATOR

__all__ = ["region"]


@pytest.fixture
def told(region: Region) -> Region:
    region.agree(region.residents)
    flow_purchases(region.city)
    return region


@pytest.fixture
def officer(told: Region, client: Make) -> TestClient[Any]:
    return sign_in(told.city, client, told.world.officer.staff_id)


@pytest.fixture
def clerk(told: Region, client: Make) -> TestClient[Any]:
    return sign_in(told.city, client, told.world.staff(told.world.company, "analyst").staff_id)


def test_officer_sees_the_books_and_what_those_who_agreed_have_spent(told: Region, officer: TestClient[Any]) -> None:
    page = officer.get("/cash/city").text
    assert f"{MANY * 3000 + 3000:,}円" in page
    assert f"この期間は{MANY}人" in page
    assert "表示していません。同意して買い物をした人が少なく" in page  # the districts
    officer.get("/language/en")
    assert "Not shown: too few people have agreed" in officer.get("/cash/city").text
    found = officer.get("/api/cash/indicators").json()
    assert (found["residents"], found["weeks_state"], found["districts_state"]) == (MANY, "shown", "too_few")


def test_shops_whose_place_is_known_are_on_the_map(told: Region, officer: TestClient[Any]) -> None:
    assert "data-map" not in officer.get("/cash/city").text
    owner = told.world.company.organisation_id
    draft = ShopDraft(owner, "PLACED", "</script><b>", "5812", "大町", longitude=139.93, latitude=37.49)
    shop = register_shop(told.city, OPERATOR, draft)
    page = officer.get("/cash/city").text
    assert "data-map" in page
    assert "</script><b>" not in page
    assert f"/cash/shops/{shop.shop_id}" in page


@pytest.mark.parametrize(("longitude", "latitude"), [(181.0, 0.0), (0.0, -90.5), (1.0, None), (float("nan"), 1.0)])
def test_place_that_is_none_is_refused(told: Region, longitude: float, latitude: float | None) -> None:
    draft = ShopDraft(
        told.world.company.organisation_id, "X", "店", "5812", "大町", longitude=longitude, latitude=latitude
    )
    with pytest.raises(ShopIsInvalid):
        register_shop(told.city, OPERATOR, draft)


def test_staff_see_their_shop_beside_its_street(told: Region, clerk: TestClient[Any]) -> None:
    shop = told.busy[0].shop_id
    page = clerk.get(f"/cash/till/{shop}/street").text
    assert "七日町全体とくらべる" in page
    assert page.count("200 %") == 2
    assert clerk.get(f"/api/cash/shops/{shop}/street").json()["state"] == "shown"


def test_others_are_refused(told: Region, client: Make, clerk: TestClient[Any]) -> None:
    resident = sign_in(told.city, client, told.residents[0].resident_id)
    for http in (clerk, resident):
        assert http.get("/cash/city").status_code == 403
        assert http.get("/api/cash/indicators").status_code == 403
    assert resident.get(f"/cash/till/{told.quiet.shop_id}/street").status_code in (403, 404)
    assert resident.get(f"/api/cash/shops/{told.quiet.shop_id}/street").status_code == 403


def test_command_prints_the_figures(told: Region, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "open_city", lambda: nullcontext(told.city))
    found = json.loads(CliRunner().invoke(cli, ["indicators", "--json"]).stdout)
    assert found["totals"]["payments"] == 2 * (MANY + 3)
    assert "too_few" in CliRunner().invoke(cli, ["indicators"]).stdout
    made = CliRunner().invoke(cli, ["publish-indicators", told.world.hall.organisation_id, "--json"])
    assert json.loads(made.stdout)["agreement_id"].startswith("agr_")
