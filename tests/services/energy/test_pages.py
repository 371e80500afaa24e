"""The energy page and its programs' doors, through HTTP."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sanpo.services.energy import view
from sanpo.services.energy.errors import FileIsAlreadyImported
from sanpo.services.energy.imports import import_readings
from tests.journeys.town import Make, sign_in
from tests.services.energy.homes import offer_comparison, settle
from tests.world import OPERATOR, World

PATHS = ("/energy", "/api/energy/me/curve", "/api/energy/me/summary", "/api/energy/me/readings.csv")


def charts(page: str) -> dict[str, dict[str, Any]]:
    """The charts of a page by their title."""
    found = [
        json.loads(text) for text in re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    ]
    return {chart["title"]: chart for chart in found}


def test_page_shows_curves_cost_always_on_and_comparison(world: World, client: Make, tmp_path: Path) -> None:
    residents = world.residents(11)
    settle(world.city, tmp_path, residents)
    world.give(offer_comparison(world), residents)
    http = sign_in(world.city, client, residents[3].resident_id)

    page = http.get("/energy")
    assert page.status_code == 200
    drawn = charts(page.text)
    day = drawn["3/15（日） 30分ごと"]
    assert [one["name"] for one in day["series"]] == ["3/15（日）", "その前の4週間の平均"]
    assert day["series"][0]["data"] == [0.26] * 48
    assert len(drawn["月曜から日曜まで 30分ごと"]["series"][0]["data"]) == 7 * 48
    assert len(drawn["日ごと、30分ごと"]["series"]) == 14
    similar = drawn["平均的な1日 30分ごと"]
    assert similar["series"][1]["data"] == [0.3] * 48
    assert "17 % 少なく" not in similar["summary"]
    assert "13 % 少なく使っています" in similar["summary"]
    assert "11 軒の平均です（一戸建て・ヒートポンプ）" in page.text
    assert "520" in page.text, "always on: 130 Wh a quarter are 520 W"
    # 14 days at 12.48 kWh: 174.72 kWh = 900 + 3600 + 54.72 × 36.50, and the levy of 611.52, both cut off.
    assert "7,108" in page.text
    assert "この金額は見本です" in page.text

    earlier = http.get("/energy?day=2026-03-04")
    assert "3/4（水） 30分ごと" in charts(earlier.text)
    assert "/energy?day=2026-03-03#day" in earlier.text
    assert http.get("/energy?day=someday").status_code == 400

    http.get("/language/en")
    assert "These amounts are an example" in http.get("/energy").text

    summary = http.get("/api/energy/me/summary").json()
    assert summary["always_on"] == {"power_w": 520, "energy_wh": 174_720, "share_permille": 1000, "days": 14}
    assert summary["months"] == [
        {"month": "2026-03", "energy_wh": 174_720, "days": 14, "days_in_month": 31, "cost_yen": 7108}
    ]
    assert summary["comparison"]["state"] == "ready"
    curve = http.get("/api/energy/me/curve?day=2026-03-04").json()
    assert curve["shown"] == {"day": "2026-03-04", "energy_wh": 12_480, "half_hours_wh": [260] * 48}
    assert [one["day"] for one in curve["week"]] == [f"2026-03-0{number}" for number in range(2, 9)]


def test_page_says_why_nothing_is_compared(world: World, client: Make, tmp_path: Path) -> None:
    residents = world.residents(2)
    settle(world.city, tmp_path, residents[:1])
    agreement = offer_comparison(world)
    page = sign_in(world.city, client, residents[0].resident_id).get("/energy").text
    assert "比べることに同意した似た家が、まだ10軒に足りません" in page
    assert f"/consent/agreements/{agreement.agreement_id}" in page
    nothing = sign_in(world.city, client, residents[1].resident_id)
    assert "まだ記録がありません" in nothing.get("/energy").text
    assert nothing.get("/api/energy/me/curve").status_code == 404
    assert nothing.get("/api/energy/me/summary").status_code == 404
    assert nothing.get("/api/energy/me/readings.csv").text == "meter_id,start,kwh\n"


def test_only_residents_have_an_energy_page(world: World, client: Make) -> None:
    stranger, officer = client(), sign_in(world.city, client, world.officer.staff_id)
    assert [stranger.get(path).status_code for path in PATHS] == [401] * 4
    assert [officer.get(path).status_code for path in PATHS] == [403] * 4


def test_own_readings_are_exported_as_they_were_imported(world: World, client: Make, tmp_path: Path) -> None:
    residents = world.residents(2)
    settle(world.city, tmp_path, residents)
    answer = sign_in(world.city, client, residents[0].resident_id).get("/api/energy/me/readings.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    imported = (tmp_path / "detached-heat_pump.csv").read_text().splitlines()
    own = [line for line in imported if line.startswith((f"M{residents[0].subject_no},", "meter_id"))]
    assert answer.text.splitlines() == own

    again = tmp_path / "again.csv"
    again.write_text(answer.text + "".join(f"{line}\n" for line in imported[1:] if line not in own))
    with pytest.raises(FileIsAlreadyImported):
        import_readings(world.city, OPERATOR, again)


@pytest.mark.parametrize(("energy_wh", "shown"), [(0, "0.0"), (49, "0.0"), (50, "0.1"), (1_234_567, "1,234.6")])
def test_energy_is_shown_in_tenths_of_a_kwh(energy_wh: int, shown: str) -> None:
    assert view.kwh(energy_wh) == shown
