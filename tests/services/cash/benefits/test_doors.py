"""The doors of the benefits: who may come through which."""

from collections.abc import Callable
from typing import Any

from litestar.testing import TestClient

from tests.journeys.town import sign_in
from tests.services.cash.benefits.conftest import Giving

Make = Callable[[], TestClient[Any]]


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
