"""Aya's device with ¥3,000 in reserve, and a second shop."""

from typing import Any

import pytest

from sanpo.services.cash import shops
from sanpo.services.cash.model import Shop
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips.redeeming import redeem
from tests.services.cash.conftest import Town
from tests.services.cash.slips.device import Device
from tests.world import OPERATOR


@pytest.fixture(params=["ed25519", "es256"])
def device(town: Town, request: Any) -> Device:
    made = Device(town, town.aya, request.param)
    assert made.prepare() is Outcome.DONE
    return made


@pytest.fixture
def books(town: Town) -> Shop:
    draft = shops.ShopDraft(town.other.organisation_id, "BOOKS", "書店", "5942", "大町")
    return shops.register_shop(town.city, OPERATOR, draft)


def cash_in(town: Town, text: str) -> Outcome:
    """The café redeems what it was shown."""
    return redeem(town.city, town.till, town.cafe.shop_id, text)
