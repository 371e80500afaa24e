"""Passkeys with Chromium's own authenticator: made on one's page, then used to sign in (W3C WebAuthn Level 3)."""

import csv
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sanpo.people.invitations import invite
from tests.browser.conftest import Sit
from tests.browser.eyes import DESK, PHONE, Size
from tests.browser.running import RunningCity
from tests.world import OPERATOR

pytestmark = [pytest.mark.browser, pytest.mark.long]
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


def at_localhost(url: str) -> str:
    """A passkey is bound to a domain, and an address in figures is none."""
    return url.replace("127.0.0.1", "localhost")


def test_passkey_is_added_and_signs_in(running: RunningCity, sit: Sit) -> None:
    reader = sit(PHONE)
    page = reader.page
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    reader.open(at_localhost(running.link_for(running.residents[3].resident_id)))
    reader.tap(reader.button("サインインする"))
    reader.open(at_localhost(running.url("/people/me")))
    page.get_by_label("パスキーの名前").fill("わたしの電話")
    reader.tap(reader.button("この機器のパスキーを登録する"))
    expect(page.get_by_role("status").filter(has_text="パスキーを登録しました")).to_be_visible()
    expect(page.get_by_role("heading", name="わたしの電話")).to_be_visible()

    reader.tap(page.get_by_role("button", name="サインアウト"))
    reader.open(at_localhost(running.url("/people/sign-in?next=/consent")))
    reader.tap(reader.button("パスキーでサインインする"))
    expect(page.get_by_role("heading", name="同意", exact=True)).to_be_visible()
    assert page.url == at_localhost(running.url("/consent"))
    devtools.detach()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_letter_leads_to_the_first_passkey_which_signs_in(
    running: RunningCity, sit: Sit, tmp_path: Path, size: Size
) -> None:
    place = 4 if size is PHONE else 5
    invite(running.city, OPERATOR, tmp_path / "letters.csv", holder_ids=[running.residents[place].resident_id])
    with (tmp_path / "letters.csv").open(encoding="utf-8", newline="") as text:
        letter = next(csv.DictReader(text))
    reader = sit(size)
    page = reader.page
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})

    reader.open(at_localhost(letter["url"]))
    reader.tap(reader.button("サインインする"))
    assert page.url == at_localhost(running.url("/people/welcome"))
    expect(page.get_by_text(letter["name"])).to_be_visible()
    reader.tap(reader.button("この機器のパスキーを登録する"))
    expect(page.get_by_role("status").filter(has_text="パスキーを登録しました")).to_be_visible()
    assert reader.taps == 2

    reader.tap(page.get_by_role("button", name="サインアウト"))
    reader.open(at_localhost(running.url("/people/sign-in?next=/people/me")))
    reader.tap(reader.button("パスキーでサインインする"))
    expect(page.get_by_role("heading", name="はじめに登録した機器")).to_be_visible()
    devtools.detach()


def test_page_at_an_address_in_figures_says_where_passkeys_work(running: RunningCity, sit: Sit) -> None:
    reader = sit(DESK)
    reader.open(running.url("/people/sign-in"))
    place = reader.link("http://localhost")
    assert place.get_attribute("href") == at_localhost(running.url("/people/sign-in"))
    assert reader.button("パスキーでサインインする").count() == 0
