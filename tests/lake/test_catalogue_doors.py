"""The catalogue through its doors: everybody sees which data the city holds, and under which licence open data stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from sanpo.ground.city import City
from sanpo.lake.imports import import_open
from tests.lake.open_data import SHOPS, described, shops
from tests.world import OPERATOR

Make = Callable[[], TestClient[Any]]


def test_everybody_sees_what_the_city_holds(city: City, client: Make, tmp_path: Path) -> None:
    import_open(city, OPERATOR, described(), shops(tmp_path, "魚屋,焼津,3"))
    found = {each["name"]: each for each in client().get("/api/lake/datasets").json()}
    assert {name: each["kind"] for name, each in found.items()} == {
        "cash.purchases": "personal",
        "energy.homes": "personal",
        "energy.readings": "personal",
        SHOPS: "open",
    }
    assert (found[SHOPS]["licence"], found["energy.homes"]["licence"]) == ("CC-BY-4.0", None)
    assert found[SHOPS]["attribution"] == "三方市, https://example.jp/shops, 2026-03-31, CC BY 4.0"
    assert [each["name"] for each in found[SHOPS]["columns"]] == ["shop", "area", "staff"]
    assert "subjects" not in client().get("/api/lake/datasets").text


def test_page_names_licence_and_source_of_open_data(city: City, client: Make, tmp_path: Path) -> None:
    import_open(city, OPERATOR, described(), shops(tmp_path, "魚屋,焼津,3"))
    page = client().get("/lake/datasets").text
    for words in ("https://example.jp/shops", "https://creativecommons.org/licenses/by/4.0/", "三方市", "2026-03-31"):
        assert words in page
    assert "魚屋" not in page
    assert "Open data" in client().get("/lake/datasets", headers={"accept-language": "en"}).text


def test_page_of_a_city_without_open_data_shows_its_own(client: Make) -> None:
    page = client().get("/lake/datasets").text
    assert "energy.readings" in page
    assert "公開データ" not in page
