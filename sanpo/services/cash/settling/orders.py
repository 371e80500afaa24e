"""Orders to the city's bank: every payout that waits goes into one order, once, to the account that the shop had then."""

import re
from dataclasses import asdict, dataclass
from datetime import datetime

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.ids import check_id, new_id
from sanpo.services.cash.errors import PayeeIsInvalid, PayerIsMissing
from sanpo.services.cash.settling.model import terms
from sanpo.services.cash.settling.pain import Credit, Order, Payee, to_pain
from sanpo.services.cash.settling.store import SQL
from sanpo.services.cash.shops import get_shop
from sanpo.services.cash.wallets import SERVICE

_FORMS = {"bank_code": "[0-9]{4}", "branch_code": "[0-9]{3}", "account_no": "[0-9]{7}", "holder": ".{1,70}"}


@dataclass(frozen=True)
class Ordered:
    """An order as it was made."""

    order_id: str
    made_at: datetime
    payouts: int
    total_yen: int


def set_payee(city: City, actor: Actor, shop_id: str, payee: Payee) -> None:
    """Says to which account a shop is paid from now on; for an officer. Raises `PayeeIsInvalid`, `NotFound`."""
    require_officer(actor)
    given = asdict(payee)
    for name, form in _FORMS.items():
        if not (re.fullmatch(form, given[name]) and given[name].isprintable()):
            raise PayeeIsInvalid(field=name)
    shop = get_shop(city, shop_id)
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.set_payee, shop_no=shop.shop_no, organisation_no=shop.organisation_no, **given)


def make_order(city: City, actor: Actor) -> Ordered | None:
    """Puts every payout that waits, and whose shop has an account, into a new order; None where there is nothing to pay.

    Raises `PayerIsMissing`.
    """
    require_officer(actor)
    _payer()
    order_id = new_id("ord")
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.lock_orders)
        row = tx.one(SQL.make_order, order_id=order_id, at=tx.now)
    return None if row is None else Ordered(*row)


def list_orders(city: City, actor: Actor) -> list[Ordered]:
    """The orders, the newest first, for an officer."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        return [Ordered(*row) for row in tx.all(SQL.orders)]


def count_without_payee(city: City, actor: Actor) -> int:
    """How many payouts wait because their shops have no account to be paid to."""
    require_officer(actor)
    with city.transaction(SERVICE) as tx:
        return int(tx.get(SQL.without_payee).payouts)


def get_order(city: City, actor: Actor, order_id: str) -> Order:
    """An order with all its payouts; the same at every call. Raises `NotFound`."""
    require_officer(actor)
    check_id("ord", order_id)
    with city.transaction(SERVICE) as tx:
        row = tx.one(SQL.order, order_id=order_id)
        if row is None:
            raise NotFound(what="payment order")
        lines = tx.all(SQL.ordered, order_id=order_id)
    made_at = row.made_at.astimezone(city.settings.zone)
    return Order(
        order_id,
        made_at,
        city.settings.city_name_ja,
        [Credit(line.settlement_id, line.payout_yen, Payee(*line[2:])) for line in lines],
    )


def order_file(city: City, actor: Actor, order_id: str) -> bytes:
    """What the bank is sent. Raises `NotFound`, `PayerIsMissing`."""
    return to_pain(get_order(city, actor, order_id), _payer())


def _payer() -> Payee:
    payer = Payee(**terms().payer)
    if not payer.account_no:
        raise PayerIsMissing
    return payer
