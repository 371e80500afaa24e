"""The day's settlement of every shop, in a transaction for each: a run that was cut off is ended by the next."""

from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from sanpo.ground.actors import Actor, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.ground.outbox import publish
from sanpo.ledger import Account, Transfer, TransferFlag, balance_at, create_accounts, post_in
from sanpo.services.cash.model import YEN_LEDGER, Shop, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.settling.model import (
    FEE,
    FEE_BACK,
    FEES,
    PAYOUT,
    PAYOUTS,
    Settlement,
    Shares,
    Sums,
    divide,
    last_closing,
    terms,
)
from sanpo.services.cash.settling.store import SQL
from sanpo.services.cash.settling.telling import TASK
from sanpo.services.cash.shops import check_till, get_shop, list_shops
from sanpo.services.cash.wallets import SERVICE, booked, prepare, refuse

FEES_ACCOUNT, PAYOUTS_ACCOUNT = number_of("settling/fees", ""), number_of("settling/payouts", "")


def settle(city: City, actor: Actor, *, at_once: bool = False) -> list[Settlement]:
    """Pays every shop what it took until the closing hour that struck last, net of what it gave back and of fees.

    With `at_once` what it took until now, without waiting for the hour. Returns what was settled; again it pays nothing.
    """
    require_officer(actor)
    now = city.now().astimezone(city.settings.zone)
    until = now if at_once else last_closing(now, terms().closing_hour)
    with city.transaction(SERVICE) as tx:
        if tx.one(SQL.settled_day, day=until.date()) is not None:
            return []
    prepare(city)
    create_accounts(city, [Account(FEES_ACCOUNT, YEN_LEDGER, FEES), Account(PAYOUTS_ACCOUNT, YEN_LEDGER, PAYOUTS)])
    found = [settlement for shop in list_shops(city) if (settlement := _settle_shop(city, shop, until)) is not None]
    if not at_once:
        with city.transaction(SERVICE) as tx:
            tx.execute(SQL.insert_settled_day, day=until.date(), at=tx.now)
    return found


def settle_when_closed(city: City) -> None:
    """The duty: settles the day after its closing hour, and one that was missed as soon as the city works again."""
    settle(city, SERVICE)


def list_settlements(
    city: City, actor: Actor, shop_id: str, since: date, until: date, limit: int = 400
) -> list[Settlement]:
    """A shop's settlements from the day `since` to the day `until`, the newest first, for the shop itself or an officer.

    Raises `NotSignedIn`, `NotPermitted`, `NotFound`.
    """
    with city.transaction(check_reader(city, actor, shop_id)) as tx:
        rows = tx.all(SQL.settlements_of, shop_id=shop_id, since=since, until=until, limit=limit)
    return [settlement_of(row) for row in rows]


def check_reader(city: City, actor: Actor, shop_id: str) -> Actor:
    """As whom the shop's books are read: officers see those of every shop, through the service. Raises as
    `list_settlements`."""
    shop = get_shop(city, shop_id)
    if is_officer(actor):
        return SERVICE
    check_till(actor, shop)
    return actor


def is_officer(actor: Actor) -> bool:
    return isinstance(actor, System) or (isinstance(actor, Staff) and actor.role == "officer")


def settlement_of(row: Any) -> Settlement:
    return Settlement(**{name: getattr(row, name) for name in Settlement.__dataclass_fields__})


def _settle_shop(city: City, shop: Shop, until: datetime) -> Settlement | None:
    """None where the shop was settled for this day before, or nothing moved since its last settlement."""
    settlement_id = new_id("stl")
    made: list[Settlement] = []

    def work(tx: Transaction) -> Outcome:
        tx.execute(SQL.lock_shop, shop_no=shop.shop_no)
        sums = _sums(tx, shop, until)
        if sums is None or not (sums.taken or sums.refunded):
            return Outcome.EXISTS
        shares = divide(sums, terms().tiers)
        _insert(tx, settlement_id, shop, until.date(), sums, shares)
        _post(tx, settlement_id, shop, shares)
        if city.now() >= last_closing(until, terms().closing_hour) + timedelta(days=1):
            raise refuse(Outcome.EXISTS)  # the next day's hour struck meanwhile: all is that day's now
        publish(tx, TASK, {"settlement_id": settlement_id})
        made.append(settlement_of(tx.get(SQL.settlement, settlement_id=settlement_id)))
        return Outcome.DONE

    booked(city, work)
    return made[-1] if made else None


def _sums(tx: Transaction, shop: Shop, until: datetime) -> Sums | None:
    """What the ledger had of the shop then, beyond what settlements moved; None where it was settled for this day or later.

    They are sums since ever: what was not yet to be seen in the books now is in them the next time.
    """
    day = until.date()
    year = day.replace(month=1, day=1)
    last_year = year.replace(year=year.year - 1)
    so_far = tx.get(SQL.settled_so_far, shop_no=shop.shop_no, day=day, year=year, last_year=last_year)
    if so_far.is_settled:
        return None
    account = balance_at(tx.city, SERVICE, number_of("shop", shop.shop_no), until)
    taken = account.credits_posted - so_far.credited - so_far.taken
    refunded = account.debits_posted - so_far.debited - so_far.refunded
    brought = account.credits_posted - account.debits_posted - taken + refunded
    return Sums(brought, taken, refunded, so_far.year, so_far.year_fee, so_far.last_year)


def _insert(tx: Transaction, settlement_id: str, shop: Shop, day: date, sums: Sums, shares: Shares) -> None:
    tx.execute(
        SQL.insert_settlement,
        settlement_id=settlement_id,
        shop_no=shop.shop_no,
        organisation_no=shop.organisation_no,
        day=day,
        brought=sums.brought,
        taken=sums.taken,
        refunded=sums.refunded,
        fee=shares.fee,
        payout=shares.payout,
        carried=shares.carried,
        at=tx.now,
    )


def _post(tx: Transaction, settlement_id: str, shop: Shop, shares: Shares) -> None:
    """The settlement's transfers: all of them or none."""
    account = number_of("shop", shop.shop_no)
    moves = [
        (FEE, account, FEES_ACCOUNT, shares.fee),
        (FEE_BACK, FEES_ACCOUNT, account, -shares.fee),
        (PAYOUT, account, PAYOUTS_ACCOUNT, shares.payout),
    ]
    batch = [
        Transfer(
            number_of(f"settlement/{code}", settlement_id), debit, credit, yen, YEN_LEDGER, code, TransferFlag.LINKED
        )
        for code, debit, credit, yen in moves
        if yen > 0
    ]
    if not batch:
        return
    posted = post_in(tx, [*batch[:-1], msgspec.structs.replace(batch[-1], flags=0)])
    if not all(outcome.is_done for outcome in posted):
        raise ValueError(f"the ledger answers {[outcome.value for outcome in posted]}")
