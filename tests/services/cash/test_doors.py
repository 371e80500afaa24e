"""The doors of the cash service: who may come through which, what became of it in a body, a status and words."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner, Result

from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import new_id
from sanpo.people import SecretProof, create_client, issue_token
from sanpo.services.cash import cli, emv, shops
from sanpo.services.cash.answering import STATUSES
from sanpo.services.cash.outcomes import Outcome
from tests.journeys.town import sign_in
from tests.services.cash.conftest import Town
from tests.world import OPERATOR

Make = Callable[[], TestClient[Any]]
DAY = {"since": "2026-04-01T00:00:00", "until": "2026-04-02T00:00:00+09:00"}


@pytest.fixture
def aya(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.aya.resident_id)


@pytest.fixture
def ben(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.ben.resident_id)


def program(town: Town, make: Make, organisation_id: str) -> TestClient[Any]:
    made = create_client(town.city, OPERATOR, organisation_id, name="till")
    http = make()
    token = issue_token(town.city, SecretProof(made.client_id, made.secret)).token
    http.headers["authorization"] = f"Bearer {token}"
    return http


@pytest.fixture
def till(town: Town, client: Make) -> TestClient[Any]:
    return program(town, client, town.till.organisation_id)


@pytest.fixture
def other(town: Town, client: Make) -> TestClient[Any]:
    return program(town, client, town.other.organisation_id)


def told(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["outcome"]


def yen(http: TestClient[Any]) -> int:
    found: int = http.get("/api/cash/me").json()["balance_yen"]
    return found


def test_every_outcome_has_a_status_and_words(city: City) -> None:
    assert STATUSES.keys() == set(Outcome)
    assert {outcome for outcome, status in STATUSES.items() if status == 200} == {o for o in Outcome if o.is_good}
    for lang in ("ja", "en"):
        assert all(city.words.has(lang, f"cash.outcome.{outcome.value}") for outcome in Outcome)


def test_resident_charges_and_pays_the_shop_whose_code_was_scanned(
    town: Town, aya: TestClient[Any], ben: TestClient[Any]
) -> None:
    charge = {"charge_id": new_id("chg"), "amount_yen": 500}
    assert [told(aya.post("/api/cash/me/charges", json=charge)) for _ in range(2)] == [(200, "done"), (200, "exists")]
    payload = aya.get(f"/api/cash/shops/{town.cafe.shop_id}/code").json()["payload"]
    paid = {"payment_id": new_id("pay"), "payload": payload, "amount_yen": 1_200}
    assert told(aya.post("/api/cash/me/payments", json=paid)) == (200, "done")
    again = aya.post("/api/cash/me/payments", json=paid, headers={"accept-language": "en"})
    assert again.json() == {"outcome": "exists", "message": "This was done before; nothing was paid again."}
    assert (yen(aya), yen(ben), town.till_yen) == (9_300, 0, 1_200)
    [seen] = aya.get("/api/cash/me/payments").json()
    assert (seen["payment_id"], seen["shop_name"], seen["amount_yen"]) == (paid["payment_id"], "七日町カフェ", 1_200)
    assert aya.get("/api/cash/me/payments", params={"before": "2026-04-01T00:00:00"}).json() == []
    assert ben.get("/api/cash/me/payments").json() == []
    assert told(ben.post("/api/cash/me/payments", json=paid)) == (409, "exists_with_another_amount")


def test_refusal_is_a_problem_with_its_outcome_in_words(town: Town, ben: TestClient[Any]) -> None:
    paid = {"payment_id": new_id("pay"), "payload": shops.printable_code(town.cafe), "amount_yen": 1}
    answer = ben.post("/api/cash/me/payments", json=paid)
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json() == {
        "type": "/problems/cash.outcome.not_enough_money",
        "title": town.city.words.text("ja", "ground.error.title"),
        "status": 409,
        "detail": "残高が足りません。",
        "code": "cash.outcome.not_enough_money",
        "outcome": "not_enough_money",
    }
    above = {"charge_id": new_id("chg"), "amount_yen": 300_001}
    assert told(ben.post("/api/cash/me/charges", json=above)) == (422, "above_wallet_limit")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"amount_yen": 0}, 400, "cash.amount_is_invalid"),
        ({"amount_yen": 1.5}, 400, "ground.input_is_invalid"),
        ({"amount_yen": None}, 400, "cash.amount_is_invalid"),
        ({"payload": "000201"}, 400, "cash.qr_is_invalid"),
        ({"payment_id": "pay_1"}, 404, "ground.id_is_malformed"),
    ],
)
def test_payment_that_cannot_be_read_is_a_problem(
    town: Town, aya: TestClient[Any], change: dict[str, Any], status: int, code: str
) -> None:
    paid = {"payment_id": new_id("pay"), "payload": shops.printable_code(town.cafe), "amount_yen": 1, **change}
    answer = aya.post("/api/cash/me/payments", json=paid)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert yen(aya) == 10_000


def test_till_takes_bills_and_refunds(town: Town, aya: TestClient[Any], till: TestClient[Any]) -> None:
    at = f"/api/cash/shops/{town.cafe.shop_id}"
    line = {"item": "ラテ", "category": "drink", "quantity": 2, "unit_price_yen": 350, "tax_permille": 100}
    shown = aya.post("/api/cash/me/codes")
    taken = {"payment_id": new_id("pay"), "code": shown.json()["code"], "amount_yen": 700, "lines": [line]}
    assert shown.status_code == 201
    assert told(till.post(f"{at}/payments", json=taken)) == (200, "done")
    assert told(till.post(f"{at}/payments", json={**taken, "payment_id": new_id("pay")})) == (409, "code_is_used")
    wrong = till.post(f"{at}/bills", json={"amount_yen": 699, "lines": [line]})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "cash.lines_do_not_add_up")
    bill = till.post(f"{at}/bills", json={"amount_yen": 700, "lines": [line]}).json()["payload"]
    paid = {"payment_id": new_id("pay"), "payload": bill}
    assert told(aya.post("/api/cash/me/payments", json=paid)) == (200, "done")
    back = {"refund_id": new_id("rfd"), "payment_id": paid["payment_id"], "amount_yen": 701}
    assert told(till.post("/api/cash/refunds", json=back)) == (422, "more_than_was_paid")
    assert told(till.post("/api/cash/refunds", json={**back, "amount_yen": 700})) == (200, "done")
    sales = till.get(f"{at}/sales", params=DAY).json()
    assert [(sale["amount_yen"], sale["refunded_yen"], sale["way"]) for sale in sales] == [
        (700, 700, "dynamic"),
        (700, 0, "code"),
    ]
    assert "subject_no" not in json.dumps(sales)
    assert (yen(aya), town.till_yen) == (9_300, 700)


def test_others_see_and_do_nothing_at_a_shop(
    town: Town, aya: TestClient[Any], ben: TestClient[Any], till: TestClient[Any], other: TestClient[Any]
) -> None:
    at, payment_id = f"/api/cash/shops/{town.cafe.shop_id}", new_id("pay")
    assert town.pay(town.aya, 1_000, payment_id=payment_id) is Outcome.DONE
    back = {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount_yen": 1}
    code = aya.post("/api/cash/me/codes").json()["code"]
    for http in (ben, other):
        assert http.get(f"/api/cash/payments/{payment_id}").status_code == 404
        assert http.get(f"{at}/sales", params=DAY).status_code == 403
        assert http.post(f"{at}/bills", json={"amount_yen": 1}).status_code == 403
        taken = {"payment_id": new_id("pay"), "code": code, "amount_yen": 1}
        assert http.post(f"{at}/payments", json=taken).status_code == 403
        assert told(http.post("/api/cash/refunds", json=back)) == (422, "payment_not_found")
    for http in (aya, till):
        assert http.get(f"/api/cash/payments/{payment_id}").json()["amount_yen"] == 1_000
    assert till.get("/api/cash/me").status_code == 403
    assert till.get("/api/cash/shops/shp_none/sales", params=DAY).status_code == 404
    assert (yen(aya), town.till_yen) == (9_000, 1_000)


def test_nobody_comes_in_without_a_sign_in_or_the_session_token(town: Town, client: Make, aya: TestClient[Any]) -> None:
    at, payment_id = f"/api/cash/shops/{town.cafe.shop_id}", new_id("pay")
    changes = {
        "/api/cash/me/charges": {"charge_id": new_id("chg"), "amount_yen": 1},
        "/api/cash/me/payments": {
            "payment_id": payment_id,
            "payload": shops.printable_code(town.cafe),
            "amount_yen": 1,
        },
        "/api/cash/me/codes": {},
        "/api/cash/refunds": {"refund_id": new_id("rfd"), "payment_id": payment_id, "amount_yen": 1},
        f"{at}/bills": {"amount_yen": 1},
        f"{at}/payments": {"payment_id": payment_id, "code": "1", "amount_yen": 1},
    }
    stranger = client()
    assert {path: stranger.post(path, json=body).status_code for path, body in changes.items()} == dict.fromkeys(
        changes, 401
    )
    for path in ("me", "me/payments", f"payments/{payment_id}", f"shops/{town.cafe.shop_id}/sales"):
        assert stranger.get(f"/api/cash/{path}", params=DAY).status_code == 401
    del aya.headers["x-csrf-token"]
    assert {path: aya.post(path, json=body).status_code for path, body in changes.items()} == dict.fromkeys(
        changes, 403
    )
    assert yen(aya) == 10_000


def test_shops_and_their_codes_are_public(town: Town, client: Make) -> None:
    stranger = client()
    [shop] = stranger.get("/api/cash/shops").json()
    assert (shop["shop_id"], shop["local_name"], shop["state"]) == (town.cafe.shop_id, "七日町カフェ", "open")
    assert "organisation_no" not in shop
    payload = stranger.get(f"/api/cash/shops/{shop['shop_id']}/code").json()["payload"]
    assert emv.jpqr_account(emv.parse(payload)).merchant == shop["merchant"]
    assert stranger.get("/api/cash/shops/shp_none/code").status_code == 404


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    @contextmanager
    def opened() -> Iterator[City]:
        yield town.city

    monkeypatch.setattr(cli, "open_city", opened)
    return lambda *words: CliRunner().invoke(cli.cli, list(words))


def test_commands_register_list_suspend_and_reopen_a_shop(town: Town, run: Callable[..., Result]) -> None:
    given = ["--name", "SAKE NO TAKINO", "--local-name", "滝野酒店", "--category", "5921", "--district", "大町"]
    [made] = json.loads(run("register-shop", town.other.organisation_id, *given, "--json").stdout)
    assert (made["local_name"], made["state"], len(made["merchant"])) == ("滝野酒店", "open", 13)
    shop_id = made["shop_id"]
    assert [shop["shop_id"] for shop in json.loads(run("shops", "--json").stdout)] == [town.cafe.shop_id, shop_id]
    assert "shop_id" in run("shops").stdout
    [shut] = json.loads(run("suspend", shop_id, "確認中", "--json").stdout)
    assert (shut["state"], shut["reason"]) == ("suspended", "確認中")
    payload = run("code", shop_id).stdout.strip()
    assert json.loads(run("code", shop_id, "--json").stdout) == {"payload": payload}
    assert town.pay(town.aya, 1, payload) is Outcome.SHOP_IS_SUSPENDED
    assert json.loads(run("reopen", shop_id, "--json").stdout)[0]["state"] == "open"
    assert town.pay(town.aya, 1, payload) is Outcome.DONE
    assert isinstance(run("code", "shp_none").exception, NotFound)
