"""A town that pays: two residents with money, a café with a till, and one that belongs to somebody else."""

from dataclasses import dataclass
from typing import Any

import pytest

from sanpo.ground.actors import Client, Resident
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ledger import get_account
from sanpo.services.cash import paying, shops, wallets
from sanpo.services.cash.model import Shop, number_of
from sanpo.services.cash.outcomes import Outcome
from tests.world import OPERATOR, World


@dataclass(frozen=True)
class Town:
    world: World
    aya: Resident
    ben: Resident
    cafe: Shop
    till: Client
    other: Client

    @property
    def city(self) -> City:
        return self.world.city

    def charge(self, who: Resident, yen: int) -> Outcome:
        return wallets.charge(self.city, who, new_id("chg"), yen)

    def pay(self, who: Resident, yen: int | None, payload: str = "", payment_id: str = "") -> Outcome:
        payload = payload or shops.printable_code(self.cafe)
        return paying.pay(self.city, who, payment_id or new_id("pay"), payload, yen)

    def take(self, code: str, yen: int, payment_id: str = "", **more: Any) -> Outcome:
        given = {"actor": self.till, **more}
        return paying.take(
            self.city, given["actor"], payment_id or new_id("pay"), self.cafe.shop_id, code, yen, given.get("lines", ())
        )

    def yen(self, who: Resident) -> int:
        return wallets.balance_yen(self.city, who)

    @property
    def till_yen(self) -> int:
        sums = get_account(self.city, OPERATOR, number_of("shop", self.cafe.shop_no)).balance
        return sums.credits_posted - sums.debits_posted


@pytest.fixture
def town(city: City) -> Town:
    world = World(city)
    aya, ben = world.residents(2)
    owner, other = world.company, world.university
    draft = shops.ShopDraft(owner.organisation_id, "NANUKAMACHI CAFE", "七日町カフェ", "5812", "七日町")
    cafe = shops.register_shop(city, OPERATOR, draft)
    found = Town(world, aya, ben, cafe, world.client(owner), world.client(other))
    assert found.charge(aya, 10_000) is Outcome.DONE
    return found
