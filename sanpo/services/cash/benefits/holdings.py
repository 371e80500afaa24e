"""What a resident holds beside money: which lots, where they are good, what expires when."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sanpo.consent import PublishedAgreement, list_agreements
from sanpo.ground.actors import Actor, Resident, require
from sanpo.ground.city import City
from sanpo.services.cash.benefits.store import SQL


@dataclass(frozen=True)
class Holding:
    """What is left of a lot, from a campaign or an agreement. `shop_ids` are the shops where it is good; none: all."""

    lot_id: str
    name_ja: str
    name_en: str
    left_yen: int
    granted_yen: int
    granted_at: datetime
    expires_at: datetime
    shop_ids: list[str]
    campaign_id: str | None
    agreement_id: str | None

    @property
    def last_moment(self) -> datetime:
        """Just before it ends, on the last day on which it is good."""
        return self.expires_at - timedelta(microseconds=1)

    def name(self, lang: str) -> str:
        return self.name_en if lang == "en" else self.name_ja


@dataclass(frozen=True)
class Benefits:
    """`lots` in the order in which they are spent; `total_yen` is their sum."""

    total_yen: int
    lots: list[Holding]


def benefits_of(city: City, actor: Actor) -> Benefits:
    """The resident's own. Raises `NotSignedIn`, `NotPermitted`."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        rows = tx.all(SQL.lots_of, subject_no=resident.subject_no, at=tx.now)
    agreements: dict[int, PublishedAgreement] = {}
    if any(row.agreement_no is not None for row in rows):
        agreements = {each.agreement_no: each for each in list_agreements(city, resident)}
    return Benefits(sum(row.left_yen for row in rows), [_holding(row, agreements) for row in rows])


def usable_yen(benefits: Benefits, shop_id: str) -> int:
    """How much of it this shop takes."""
    return sum(lot.left_yen for lot in benefits.lots if not lot.shop_ids or shop_id in lot.shop_ids)


def _holding(row: Any, agreements: dict[int, PublishedAgreement]) -> Holding:
    agreement = agreements.get(row.agreement_no)
    title = agreement.draft.title if agreement else None
    return Holding(
        row.lot_id,
        title.ja if title else row.name_ja or "",
        title.en if title else row.name_en or "",
        row.left_yen,
        row.granted_yen,
        row.granted_at,
        row.expires_at,
        row.shop_ids,
        row.campaign_id,
        agreement.agreement_id if agreement else None,
    )
