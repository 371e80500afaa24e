"""Asking: the region's figures as questions to the clean room like anybody else's, recorded so, and kept for a day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from importlib.resources import files
from typing import Any

import msgspec

from sanpo.cleanroom import ask
from sanpo.consent import Draft, PublishedAgreement, list_agreements, publish_agreement
from sanpo.ground.actors import Actor, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, Kind
from sanpo.ledger import trial_balance
from sanpo.services.cash.benefits.model import BENEFITS
from sanpo.services.cash.flow import PURCHASES
from sanpo.services.cash.indicators.model import (
    Cell,
    Indicators,
    Period,
    State,
    Street,
    Totals,
    cells_of,
    in_percent,
    last_weeks,
    may_be_compared,
)
from sanpo.services.cash.indicators.store import SQL
from sanpo.services.cash.model import WALLET, YEN_LEDGER, Shop
from sanpo.services.cash.shops import check_till, get_shop, list_shops
from sanpo.services.cash.wallets import SERVICE

ASKER = System("service:cash")
KEPT = timedelta(days=1)
YEARS = 3
_TOO_FEW = ("cleanroom.too_few_subjects", "cleanroom.disclosure_is_not_safe")
_OPERATOR = System("operator")


@dataclass(frozen=True)
class _Found:
    """A released answer: who was counted, and its rows as the question names them."""

    residents: int
    rows: Sequence[Any]


def publish_indicators(city: City, actor: Actor, organisation_id: str) -> PublishedAgreement:
    """Publishes the agreement that the figures need, of this organisation (the city hall). An officer then approves it."""
    officer = require_officer(actor)
    text = files("sanpo.services.cash.indicators").joinpath("agreement.json").read_bytes()
    today = _today(city)
    term = {"first_day": today, "last_day": today + timedelta(days=365 * YEARS), "grant_days": 365}
    draft = msgspec.convert({**msgspec.json.decode(text), "term": term}, Draft)
    return publish_agreement(city, officer, draft, organisation_id=organisation_id)


def read_indicators(city: City, actor: Actor) -> Indicators:
    """The region's figures of the last four whole weeks, for an officer. What stands in the way is a state, not an error."""
    require_officer(actor)
    period = last_weeks(_today(city))
    totals = _totals(city, period)
    agreement = _agreement(city)
    if agreement is None:
        return Indicators(period, totals, State.NO_AGREEMENT, State.NO_AGREEMENT)
    districts = sorted({shop.district for shop in list_shops(city)})
    by_district = _asked(city, agreement, _by("district", period))
    by_week = _asked(city, agreement, _by("date_trunc('week', bought_at)", period))
    return Indicators(
        period,
        totals,
        _state(by_district),
        _state(by_week),
        () if isinstance(by_district, State) else cells_of(districts, by_district.rows),
        () if isinstance(by_week, State) else _weeks(period, by_week.rows),
        max(0 if isinstance(each, State) else each.residents for each in (by_district, by_week)),
    )


def read_street(city: City, actor: Actor, shop_id: str) -> Street:
    """A shop's sales beside the total of its district, for its own staff. Raises `NotFound`, `NotPermitted`."""
    shop = get_shop(city, shop_id)
    check_till(actor, shop)
    period = last_weeks(_today(city))
    own = _own_sales(city, shop, period)
    shown = Street(period, shop.district, State.SHOWN, own, in_percent(own))
    agreement = _agreement(city)
    if agreement is None:
        return _without(shown, State.NO_AGREEMENT)
    since, until = _bounds(city, period)
    with city.transaction(SERVICE) as tx:
        sales = [row.yen for row in tx.all(SQL.sales_of_street, district=shop.district, since=since, until=until)]
    if not may_be_compared(sales):
        return _without(shown, State.TOO_FEW_SHOPS)
    found = _asked(city, agreement, _by("date_trunc('week', bought_at)", period, shop.district))
    if isinstance(found, State):
        return _without(shown, found)
    street = in_percent([cell.yen for cell in _weeks(period, found.rows)])
    return Street(period, shop.district, State.SHOWN, own, in_percent(own), street)


def _state(found: _Found | State) -> State:
    return found if isinstance(found, State) else State.SHOWN


def _without(street: Street, state: State) -> Street:
    return Street(street.period, street.district, state, street.own_yen, street.own_percent)


def _by(dimension: str, period: Period, district: str = "") -> str:
    """The question by which a dimension's totals are asked for, in the clean room's SQL."""
    where = f"bought_at >= '{period.first_day}' and bought_at < '{period.end_day}'"
    if district:
        quoted = district.replace("'", "''")
        where += f" and district = '{quoted}'"
    return (
        f"select {dimension} as part, sum(amount_yen) as yen, count(*) as purchases from {PURCHASES}"
        f" where {where} group by {dimension}"
    )


def _asked(city: City, agreement: PublishedAgreement, question: str) -> _Found | State:
    """What was answered within the last day, or is answered now; or why there is nothing."""
    key = {"agreement_id": agreement.agreement_id, "question": question}
    with city.transaction(SERVICE) as tx:
        kept = tx.one(SQL.kept, **key, not_before=tx.now - KEPT)
    if kept is not None:
        return _Found(kept.residents, msgspec.json.decode(kept.rows))
    try:
        answer = ask(city, ASKER, agreement.agreement_id, question)
    except DomainError as error:
        if error.code in _TOO_FEW:
            return State.TOO_FEW
        if error.kind in (Kind.UNAVAILABLE, Kind.TOO_MANY):
            return State.NOT_NOW
        raise
    rows = [_plain(row.values) for row in answer.rows if "yen" not in row.suppressed]
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.keep, **key, now=tx.now, residents=answer.subjects, rows=msgspec.json.encode(rows).decode())
    return _Found(answer.subjects, rows)


def _plain(values: Sequence[Any]) -> list[Any]:
    return [str(each)[:10] if isinstance(each, date) else each for each in values]


def _weeks(period: Period, rows: Sequence[Any]) -> tuple[Cell, ...]:
    return cells_of([week.isoformat() for week in period.weeks], rows)


def _own_sales(city: City, shop: Shop, period: Period) -> tuple[int, ...]:
    starts = [_midnight(city, week) for week in period.weeks]
    ends = [*starts[1:], _midnight(city, period.end_day)]
    with city.transaction(SERVICE) as tx:
        rows = tx.all(SQL.sales_of_shop, shop_no=shop.shop_no, weeks=period.weeks, starts=starts, ends=ends)
    return tuple(int(row.yen) for row in rows)


def _totals(city: City, period: Period) -> Totals:
    since, until = _bounds(city, period)
    with city.transaction(SERVICE) as tx:
        found = tx.get(SQL.flows, since=since, until=until, first_day=period.first_day, end_day=period.end_day)
    held = sum(
        each.credits_posted - each.debits_posted
        for each in trial_balance(city, _OPERATOR)
        if each.ledger == YEN_LEDGER and each.code in (WALLET, BENEFITS)
    )
    return Totals(found.charged_yen, found.spent_yen, found.refunded_yen, found.paid_out_yen, held, int(found.payments))


def _agreement(city: City) -> PublishedAgreement | None:
    """The newest agreement in force that covers the figures."""
    today = _today(city)
    for agreement in list_agreements(city, ASKER, state="approved", service="cash"):
        covers = {"bought_at", "amount_yen", "district"} <= agreement.columns_of(PURCHASES)
        if covers and agreement.runs_on(today):
            return agreement
    return None


def _today(city: City) -> date:
    return city.now().astimezone(city.settings.zone).date()


def _bounds(city: City, period: Period) -> tuple[datetime, datetime]:
    return _midnight(city, period.first_day), _midnight(city, period.end_day)


def _midnight(city: City, day: date) -> datetime:
    return datetime.combine(day, time(), city.settings.zone)
