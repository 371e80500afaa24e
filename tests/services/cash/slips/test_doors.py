"""The doors of slips: a device gets ready and a till redeems over HTTP; a slip is verified with nothing but a public key."""

import base64
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.journal import verifier_key
from sanpo.services.cash import cli
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips import cli as slip_commands
from tests.journeys.town import sign_in
from tests.services.cash.conftest import Town
from tests.services.cash.slips.conftest import cash_in
from tests.services.cash.slips.device import Device, changed
from tests.services.cash.test_doors import Make, program


@pytest.fixture
def phone(town: Town, client: Make) -> TestClient[Any]:
    return sign_in(town.city, client, town.aya.resident_id)


@pytest.fixture
def till(town: Town, client: Make) -> TestClient[Any]:
    return program(town, client, town.till.organisation_id)


def enrol(phone: TestClient[Any], device: Device, **more: Any) -> Any:
    key = base64.b64encode(device.public_key).decode()
    body = {"key_id": device.key_id, "algorithm": device.algorithm, "public_key": key, "reserve_yen": 3_000}
    return phone.post("/api/cash/me/slip-keys", json={**body, **more})


def test_device_gets_ready_and_its_slip_is_redeemed_over_http(
    town: Town, phone: TestClient[Any], till: TestClient[Any]
) -> None:
    device = Device(town, town.aya)
    assert enrol(phone, device).json()["outcome"] == "done"
    [kept] = phone.get("/api/cash/me/slip-keys").json()
    assert (kept["key_id"], kept["left_yen"], kept["state"]) == (device.key_id, 3_000, "active")
    assert base64.b64decode(kept["certificate"]) == device.kept.certificate
    address, text = f"/api/cash/shops/{town.cafe.shop_id}/slips", device.sign(700)
    assert till.post(address, json={"slip": text}).json()["outcome"] == "done"
    assert till.post(address, json={"slip": text}).json()["outcome"] == "exists"
    forged = till.post(address, json={"slip": changed(text, amount_yen=900)})
    assert (forged.status_code, forged.json()["outcome"]) == (422, "slip_is_forged")
    assert till.post(address, json={"slip": "SLIP1:AAAA"}).json()["code"] == "cash.slip_is_malformed"
    assert phone.post(address, json={"slip": text}).status_code == 403


@pytest.mark.parametrize("public_key", ["", "!", "AAAA"])
def test_key_that_is_none_is_refused(town: Town, phone: TestClient[Any], public_key: str) -> None:
    refused = enrol(phone, Device(town, town.aya), public_key=public_key)
    assert (refused.status_code, refused.json()["code"]) == (400, "cash.slip_key_is_invalid")


def test_lost_key_is_in_the_public_list_and_offences_are_the_officers(
    town: Town, phone: TestClient[Any], client: Make
) -> None:
    device = Device(town, town.aya)
    assert device.prepare() is Outcome.DONE
    assert cash_in(town, device.sign(1, slip_no=1)) is Outcome.DONE
    assert cash_in(town, device.sign(2, slip_no=1)) is Outcome.SLIP_IS_SPENT_TWICE
    assert phone.post(f"/api/cash/slip-keys/{device.key_id}/loss").status_code == 201
    assert device.kept.cause == "lost"
    assert client().get("/api/cash/slip-keys/suspended").json() == {"key_ids": [device.key_id]}
    assert phone.get("/api/cash/slip-offences").status_code == 403
    officer = sign_in(town.city, client, town.world.officer.staff_id)
    [found] = officer.get("/api/cash/slip-offences").json()
    assert (found["kind"], found["key_id"], found["amount_yen"]) == ("spent_twice", device.key_id, 2)
    assert found["first_message"] != found["message"]


def test_slip_is_verified_offline_by_command(town: Town, tmp_path: Path) -> None:
    device = Device(town, town.aya)
    assert device.prepare() is Outcome.DONE
    text, key = device.sign(700), str(verifier_key(town.city))
    file = tmp_path / "slip.txt"
    file.write_text(text)
    at = ["--at", f"{town.city.now():%Y-%m-%dT%H:%M:%S%z}", "--json"]

    def verify(slip: str, *more: str) -> tuple[int, str]:
        told = CliRunner().invoke(cli.cli, ["slip", "verify", slip, "--key", key, *at, *more])
        return told.exit_code, json.loads(told.output)["outcome"]

    assert verify(text) == verify(str(file), "--merchant", town.cafe.merchant) == (0, "done")
    assert verify(text, "--merchant", "9" * 13) == (4, "slip_is_for_another_shop")
    assert verify(text, "--suspended", device.key_id) == (4, "slip_key_is_suspended")
    assert verify(changed(text, amount_yen=1)) == (4, "slip_is_forged")
    plain = CliRunner().invoke(cli.cli, ["slip", "verify", text, "--key", key, *at[:-1]])
    assert "700" in plain.output


def test_officer_lists_offences_and_reports_a_loss_by_command(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slip_commands, "open_city", lambda: nullcontext(town.city))
    device = Device(town, town.aya)
    assert device.prepare() is Outcome.DONE
    for yen in (1, 2):
        cash_in(town, device.sign(yen, slip_no=1))
    [found] = json.loads(CliRunner().invoke(cli.cli, ["slip", "offences", "--json"]).output)
    assert (found["key_id"], found["kind"]) == (device.key_id, "spent_twice")
    assert "spent" in CliRunner().invoke(cli.cli, ["slip", "offences"]).output
    assert CliRunner().invoke(cli.cli, ["slip", "lost", device.key_id]).exit_code == 0
    assert device.kept.cause == "lost"
