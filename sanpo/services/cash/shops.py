"""Shops: registered by the city for an organisation, suspended with a reason, shown by a printable code."""

import re
import secrets
from dataclasses import dataclass
from typing import Any

from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System, require_officer
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import new_id
from sanpo.ledger import Account, AccountFlag, create_accounts_in
from sanpo.people import get_organisation
from sanpo.services.cash.emv import JpqrAccount, make_code
from sanpo.services.cash.errors import ShopIsInvalid
from sanpo.services.cash.model import SHOP, YEN_LEDGER, Shop, number_of
from sanpo.services.cash.store import SQL
from sanpo.services.cash.wallets import prepare

PLACE = "JAPAN"


@dataclass(frozen=True)
class ShopDraft:
    """What an officer says of a new shop. `name` is in ASCII, for terminals of other countries; `merchant` and `registration`
    (the number for qualified invoices) may be given, and where it stands: both degrees (WGS 84), or neither."""

    organisation_id: str
    name: str
    local_name: str
    category: str
    district: str
    merchant: str = ""
    registration: str = ""
    longitude: float | None = None
    latitude: float | None = None


def register_shop(city: City, actor: Actor, draft: ShopDraft) -> Shop:
    """Registers a shop and opens its account. Raises `ShopIsInvalid`, `NotFound` for the organisation."""
    officer = require_officer(actor)
    _check(draft)
    prepare(city)
    with city.transaction(officer) as tx:
        organisation = get_organisation(tx, draft.organisation_id)
        row = tx.one(
            SQL.insert_shop,
            shop_id=new_id("shp"),
            organisation_no=organisation.organisation_no,
            merchant=draft.merchant or str(secrets.randbelow(9 * 10**12) + 10**12),
            name=draft.name,
            local_name=draft.local_name,
            category=draft.category,
            district=draft.district,
            registration=draft.registration,
            longitude=draft.longitude,
            latitude=draft.latitude,
            at=tx.now,
        )
        if row is None:
            raise ShopIsInvalid(field="merchant", problem="is another shop's number")
        number, history = number_of("shop", row.shop_no), int(AccountFlag.HISTORY)
        create_accounts_in(tx, [Account(number, YEN_LEDGER, SHOP, history, organisation_no=row.organisation_no)])
    return shop_of(row)


def list_shops(city: City, organisation_no: int | None = None) -> list[Shop]:
    """All shops, or those of one organisation, in the order in which they were registered. Public."""
    return [shop_of(row) for row in city.db.read_all(SQL.shops, organisation_no=organisation_no)]


def get_shop(city: City, shop_id: str) -> Shop:
    """Raises `NotFound`. Public."""
    row = city.db.read(SQL.shop, shop_id=shop_id)
    if row is None:
        raise NotFound(what="shop")
    return shop_of(row)


def get_shop_in(tx: Transaction, shop_id: str) -> Shop:
    """As `get_shop`, inside a transaction."""
    row = tx.one(SQL.shop, shop_id=shop_id)
    if row is None:
        raise NotFound(what="shop")
    return shop_of(row)


def set_shop_state(city: City, actor: Actor, shop_id: str, state: str, reason: str) -> Shop:
    """Opens, suspends or closes a shop; `reason` is shown to who wants to pay there. Raises `ShopIsInvalid`, `NotFound`."""
    officer = require_officer(actor)
    if state not in ("open", "suspended", "closed"):
        raise ShopIsInvalid(field="state", problem="is none of open, suspended, closed")
    if state != "open" and not reason.strip():
        raise ShopIsInvalid(field="reason", problem="is missing")
    with city.transaction(officer) as tx:
        row = tx.one(SQL.set_shop_state, shop_id=shop_id, state=state, reason=reason if state != "open" else "")
    if row is None:
        raise NotFound(what="shop")
    return shop_of(row)


def printable_code(shop: Shop) -> str:
    """The payload of the code that hangs in the shop: the payer says how much."""
    account = JpqrAccount(shop.merchant)
    return str(make_code(account, name=shop.name, city=PLACE, category=shop.category, local_name=shop.local_name))


def check_till(actor: Actor, shop: Shop) -> None:
    """Whether the actor may take payments at this shop. Raises `NotSignedIn`, `NotPermitted`."""
    match actor:
        case Staff() | Client() if actor.organisation_no == shop.organisation_no:
            return
        case System(duty="operator" | "simulator"):
            return
        case Anonymous():
            raise NotSignedIn
        case _:
            raise NotPermitted(needed="the shop's own staff or program")


def shop_of(row: Any) -> Shop:
    return Shop(**{name: getattr(row, name) for name in Shop.__dataclass_fields__})


def _check(draft: ShopDraft) -> None:
    if not (draft.name.isascii() and draft.name.isprintable() and 1 <= len(draft.name) <= 25):
        raise ShopIsInvalid(field="name", problem="must be 1 to 25 ASCII characters")
    if not (1 <= len(draft.local_name) <= 25 and draft.local_name.isprintable()):
        raise ShopIsInvalid(field="local_name", problem="must be 1 to 25 characters")
    if not re.fullmatch("[0-9]{4}", draft.category):
        raise ShopIsInvalid(field="category", problem="must be the four digits of ISO 18245")
    if not (1 <= len(draft.district) <= 40 and draft.district.isprintable()):
        raise ShopIsInvalid(field="district", problem="must be 1 to 40 characters")
    if draft.merchant and not re.fullmatch("[0-9]{13}", draft.merchant):
        raise ShopIsInvalid(field="merchant", problem="must be 13 digits")
    for field, degrees, limit in (("longitude", draft.longitude, 180), ("latitude", draft.latitude, 90)):
        if degrees is not None and not -limit <= degrees <= limit:
            raise ShopIsInvalid(field=field, problem=f"must be from -{limit} to {limit} degrees")
    if (draft.longitude is None) is not (draft.latitude is None):
        raise ShopIsInvalid(field="longitude", problem="and latitude are given both, or neither")
    if draft.registration and not re.fullmatch("T[0-9]{13}", draft.registration):
        raise ShopIsInvalid(field="registration", problem="must be T and 13 digits")
