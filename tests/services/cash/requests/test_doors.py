"""The doors of requests: a resident asks, another pays by the code that was handed over."""

from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.ids import new_id
from sanpo.services.cash.outcomes import Outcome
from tests.journeys.town import sign_in
from tests.services.cash.conftest import Town
from tests.services.cash.test_doors import Make

ME = "/api/cash/me"


@pytest.fixture
def aya(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.aya.resident_id)


@pytest.fixture
def ben(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.ben.resident_id)


def test_resident_asks_and_another_pays_or_declines_over_http(
    town: Town, aya: TestClient[Any], ben: TestClient[Any]
) -> None:
    body = {"request_id": new_id("req"), "amounts_yen": [700, 800], "note": "お昼"}
    assert ben.post(f"{ME}/requests", json=body).json()["outcome"] == "done"
    [request] = ben.get(f"{ME}/requests").json()
    paid, refused = (f"/api/cash/requests/{share['code']}" for share in request["shares"])
    asked = aya.get(paid).json()
    assert (asked["amount_yen"], asked["note"], asked["state"]) == (700, "お昼", "open")
    assert "subject_no" not in asked
    assert aya.post(f"{paid}/payment").json()["outcome"] == "done"
    assert aya.post(f"{refused}/refusal").json()["outcome"] == "done"
    own = ben.post(f"{paid}/payment")
    assert (own.status_code, own.json()["outcome"]) == (422, "request_is_own")
    assert [share["state"] for share in ben.get(f"{ME}/requests").json()[0]["shares"]] == ["paid", "declined"]
    assert [one["amount_yen"] for one in aya.get(f"{ME}/given").json()] == [700]
    again = ben.post(f"{ME}/requests/{body['request_id']}/withdrawal")
    assert (again.status_code, again.json()["outcome"]) == (409, "request_is_answered")
    assert town.yen(town.ben) == 700


def test_payment_is_split_over_http(town: Town, aya: TestClient[Any], client: Make) -> None:
    payment_id = new_id("pay")
    assert town.pay(town.aya, 900, payment_id=payment_id) is Outcome.DONE
    body = {"request_id": new_id("req"), "payment_id": payment_id, "people": 3}
    assert aya.post(f"{ME}/splits", json=body).json()["outcome"] == "done"
    [request] = aya.get(f"{ME}/requests").json()
    assert [share["amount_yen"] for share in request["shares"]] == [300, 300]
    refused = aya.post(f"{ME}/splits", json={**body, "request_id": new_id("req"), "people": 1})
    assert (refused.status_code, refused.json()["code"]) == (400, "cash.request_is_invalid")
    assert client().get(f"/api/cash/requests/{request['shares'][0]['code']}").status_code == 401
