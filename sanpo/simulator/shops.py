"""Shops of the virtual city, and what its residents bought there over the last weeks: charges, payments with their lines,
refunds and each day's settlement, in the order in which they happened."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sanpo.ground.actors import Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.ids import new_id
from sanpo.people import NewOrganisation, add_staff, register_organisation
from sanpo.services.cash import (
    CampaignDraft,
    Gift,
    Line,
    Shop,
    ShopDraft,
    charge,
    claim,
    create_campaign,
    give,
    issue_invoices,
    open_campaign,
    pay,
    printable_code,
    refund,
    register_shop,
    settle,
    show_code,
    take,
)

OPERATOR = System("operator")
WEEKS = 4
PURCHASES = 6
"""Of each resident in that time, on average; the first two buy more, so that their pages have something to show."""
REFUNDED_PERCENT = 3
VOUCHER_YEN = 5_000
VOUCHERS_AFTER = timedelta(days=26)
"""For the small shops, so late that something is left of them."""
_OPEN, _CLOSE = 9, 20


@dataclass(frozen=True)
class Kind:
    """A shop and what it sells: (item, category, price in yen, rate of tax); `position` is longitude and latitude."""

    ja: str
    en: str
    category: str
    district: str
    position: tuple[float, float]
    goods: tuple[tuple[str, str, int, int], ...]


KINDS = (
    Kind("七日町カフェ", "Nanukamachi Cafe", "5812", "七日町", (139.9256, 37.4966), (
        ("ブレンドコーヒー", "meal", 480, 100), ("カレーセット", "meal", 1100, 100), ("チーズケーキ", "meal", 520, 100),
        ("コーヒー豆 200g", "food", 1296, 80),
    )),
    Kind("川東ストア", "Kawahigashi Store", "5411", "川東", (139.9590, 37.5020), (
        ("会津米 2kg", "food", 1480, 80), ("牛乳", "drink", 258, 80), ("たまご 10個", "food", 298, 80),
        ("りんご", "food", 168, 80), ("洗剤", "daily", 398, 100), ("とうふ", "food", 88, 80), ("緑茶 2L", "drink", 178, 80),
    )),
    Kind("城北薬局", "Johoku Pharmacy", "5912", "城北", (139.9290, 37.5090), (
        ("かぜ薬", "health", 1380, 100), ("ばんそうこう", "health", 420, 100), ("歯ブラシ", "daily", 248, 100),
    )),
    Kind("西町書店", "Nishimachi Books", "5942", "西町", (139.9200, 37.4930), (
        ("文庫本", "books", 836, 100), ("ノート", "books", 220, 100), ("新聞", "books", 180, 80),
    )),
    Kind("湯川食堂", "Yukawa Diner", "5812", "湯川", (139.9480, 37.4790), (
        ("ソースカツ丼", "meal", 980, 100), ("ラーメン", "meal", 750, 100), ("ぎょうざ", "meal", 420, 100),
    )),
    Kind("中央衣料", "Chuo Clothing", "5651", "中央", (139.9300, 37.4900), (
        ("くつした", "clothes", 550, 100), ("シャツ", "clothes", 2980, 100), ("タオル", "daily", 660, 100),
    )),
)  # fmt: skip


@dataclass(frozen=True)
class Open:
    """A shop with whoever stands at its till."""

    kind: Kind
    shop: Shop
    staff: Staff


def open_shops(city: City, residents: list[Resident], rng: np.random.Generator) -> list[Open]:
    """Shops, and weeks of purchases until now. All is done at its time, by a clock of its own: the ledger books nothing
    before what an account has seen, so the shops open in the past too."""
    zone = city.settings.zone
    first = city.now().astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(weeks=WEEKS)
    clock = FixedClock(first)
    then = replace(city, clock=clock)
    opened = _set_up(then)
    clock.advance(hours=_OPEN - 1)
    for place, resident in enumerate(residents):
        charge(then, resident, new_id("chg"), 80_000 if place < 2 else int(rng.choice([20_000, 30_000, 50_000])))
    _offer_points(then, residents)
    voucher_day = (first + VOUCHERS_AFTER).date()
    day = first.date()
    for at, resident in _visits(first, city.now(), residents, rng):
        if at.date() != day:
            clock.advance(seconds=(_midnight(at) - clock.now()).total_seconds())
            settle(then, OPERATOR)
            if at.month != day.month:
                issue_invoices(then, OPERATOR, day)
            if day < voucher_day <= at.date():
                _give_vouchers(then, opened, residents)
            day = at.date()
        clock.advance(seconds=(at - clock.now()).total_seconds())
        _visit(then, opened[int(rng.choice(len(opened), p=_SHARES))], resident, rng)
    return opened


def _set_up(city: City) -> list[Open]:
    """Each shop with its organisation and one person at the till."""
    opened = []
    for kind in KINDS:
        owner = register_organisation(city, OPERATOR, NewOrganisation(kind.ja, kind.en, "company", "shop@example.jp"))
        name = f"{kind.ja}の店員"
        staff_id = add_staff(city, OPERATOR, owner.organisation_id, role="analyst", name=name, email=None)
        told = owner.organisation_id, kind.en.upper(), kind.ja, kind.category, kind.district
        draft = ShopDraft(*told, longitude=kind.position[0], latitude=kind.position[1])
        staff = Staff(staff_id, owner.organisation_id, owner.organisation_no, "analyst")
        opened.append(Open(kind, register_shop(city, OPERATOR, draft), staff))
    return opened


def _offer_points(city: City, residents: list[Resident]) -> None:
    """A rate of what is paid, for who asks. The first resident has not yet: whoever tries the city can."""
    today = city.now().astimezone(city.settings.zone).date()
    points = create_campaign(
        city,
        OPERATOR,
        CampaignDraft(
            name_ja="まちのポイント",
            name_en="Town points",
            budget_yen=1_000_000,
            first_day=today,
            last_day=today + timedelta(days=180),
            rate_permille=50,
            cap_yen=5_000,
            valid_days=90,
            by_claim=True,
        ),
    )
    open_campaign(city, OPERATOR, points.campaign_id)
    for resident in residents[1::2]:
        claim(city, resident, points.campaign_id)


def _give_vouchers(city: City, opened: list[Open], residents: list[Resident]) -> None:
    today = city.now().astimezone(city.settings.zone).date()
    voucher = create_campaign(
        city,
        OPERATOR,
        CampaignDraft(
            name_ja="くらし応援商品券",
            name_en="Voucher for small shops",
            budget_yen=VOUCHER_YEN * len(residents),
            first_day=today,
            last_day=today + timedelta(days=60),
            amount_yen=VOUCHER_YEN,
            shop_ids=[one.shop.shop_id for one in opened if one.kind.category != "5411"],
        ),
    )
    open_campaign(city, OPERATOR, voucher.campaign_id)
    give(city, OPERATOR, voucher.campaign_id, Gift(residents=[one.resident_id for one in residents]))


_SHARES = (0.3, 0.3, 0.1, 0.1, 0.12, 0.08)


def _visits(
    first: datetime, until: datetime, residents: list[Resident], rng: np.random.Generator
) -> list[tuple[datetime, Resident]]:
    """When who goes to a shop, in the order of time."""
    visits = []
    for place, resident in enumerate(residents):
        for _ in range(rng.poisson(PURCHASES * (4 if place < 2 else 1))):
            day = first + timedelta(days=int(rng.integers(WEEKS * 7 + 1)))
            at = day + timedelta(minutes=int(rng.integers(_OPEN * 60, _CLOSE * 60)))
            visits.append((at, resident))
    return sorted((one for one in visits if one[0] < until), key=lambda one: one[0])


def _visit(city: City, open_shop: Open, resident: Resident, rng: np.random.Generator) -> None:
    """Most show their code and get a receipt with lines; some pay by the code on the wall, of which no lines are known."""
    lines = _basket(open_shop.kind, rng)
    total = sum(line.quantity * line.unit_price_yen for line in lines)
    payment_id = new_id("pay")
    if rng.integers(100) < 80:
        code = show_code(city, resident).code
        outcome = take(city, open_shop.staff, payment_id, open_shop.shop.shop_id, code, total, lines)
    else:
        outcome = pay(city, resident, payment_id, printable_code(open_shop.shop), total)
    if outcome.is_good and rng.integers(100) < REFUNDED_PERCENT:
        refund(city, open_shop.staff, new_id("rfd"), payment_id, lines[0].unit_price_yen)


def _basket(kind: Kind, rng: np.random.Generator) -> list[Line]:
    chosen: Any = rng.choice(len(kind.goods), size=int(rng.integers(1, min(4, len(kind.goods)) + 1)), replace=False)
    return [
        Line(item, category, int(rng.choice([1, 1, 1, 2])), price, tax)
        for item, category, price, tax in (kind.goods[at] for at in chosen)
    ]


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)
