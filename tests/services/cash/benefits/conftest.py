"""A town that gives: a second shop, and campaigns of the city that are open."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import pytest

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.ledger import get_account
from sanpo.ledger.errors import AccountNotFound
from sanpo.ledger.reading import trial_balance
from sanpo.services.cash import paying, shops
from sanpo.services.cash.benefits.campaigns import create_campaign, open_campaign
from sanpo.services.cash.benefits.giving import Gift, give
from sanpo.services.cash.benefits.holdings import benefits_of
from sanpo.services.cash.benefits.model import (
    Campaign,
    CampaignDraft,
    benefits_account,
    campaign_account,
    funder_account,
)
from sanpo.services.cash.model import Shop
from sanpo.services.cash.outcomes import Outcome
from tests.services.cash.conftest import Town
from tests.world import OPERATOR


@dataclass(frozen=True)
class Giving:
    """The town, its bookshop, and ways to give. Days are counted from today."""

    town: Town
    books: Shop

    @property
    def city(self) -> City:
        return self.town.city

    @property
    def today(self) -> date:
        return self.city.now().astimezone(self.city.settings.zone).date()

    def draft(self, *, days: int = 30, shop: Shop | None = None, **more: Any) -> CampaignDraft:
        given: dict[str, Any] = {"amount_yen": 1_000, "budget_yen": 1_000_000, "valid_days": 0, **more}
        last = self.today + timedelta(days=days)
        return CampaignDraft(
            name_ja="春の給付",
            name_en="Spring",
            first_day=self.today,
            last_day=last,
            shop_ids=[shop.shop_id] if shop else [],
            **given,
        )

    def open(self, **more: Any) -> Campaign:
        return open_campaign(self.city, OPERATOR, create_campaign(self.city, OPERATOR, self.draft(**more)).campaign_id)

    def points(self, who: Resident, yen: int, *, days: int = 30, shop: Shop | None = None) -> None:
        """A lot of its own, good until the end of the day in `days` days."""
        campaign = self.open(amount_yen=yen, days=days, shop=shop)
        assert give(self.city, OPERATOR, campaign.campaign_id, Gift(residents=[who.resident_id])).residents == 1

    def lots(self, who: Resident) -> list[int]:
        return [lot.left_yen for lot in benefits_of(self.city, who).lots]

    def pay(self, who: Resident, yen: int, shop: Shop | None = None) -> str:
        """Pays and returns the payment's id."""
        payment_id = new_id("pay")
        assert self.town.pay(who, yen, shops.printable_code(shop or self.town.cafe), payment_id) is Outcome.DONE
        return payment_id

    def refund(self, payment_id: str, yen: int) -> Outcome:
        return paying.refund(self.city, OPERATOR, new_id("rfd"), payment_id, yen)

    def yen(self, account_id: int) -> int:
        try:
            sums = get_account(self.city, OPERATOR, account_id).balance
        except AccountNotFound:
            return 0
        return sums.credits_posted - sums.debits_posted

    def benefits_yen(self, who: Resident) -> int:
        return self.yen(benefits_account(who.subject_no))

    def campaign_yen(self, campaign: Campaign) -> int:
        return self.yen(campaign_account(campaign.campaign_no))

    @property
    def city_gave_yen(self) -> int:
        return -self.yen(funder_account(None))

    def check_books(self) -> None:
        """The trial balance is zero."""
        trial = trial_balance(self.city, OPERATOR)
        assert sum(row.debits_posted for row in trial) == sum(row.credits_posted for row in trial)
        assert sum(row.debits_pending + row.credits_pending for row in trial) == 0


@pytest.fixture
def giving(town: Town) -> Giving:
    draft = shops.ShopDraft(town.world.university.organisation_id, "BOOKS", "書店", "5942", "大町")
    return Giving(town, shops.register_shop(town.city, OPERATOR, draft))
