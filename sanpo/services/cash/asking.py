"""What a code asks for, before anything is paid: scanned from a screen or a poster, or its shop's number typed by hand."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.services.cash.emv import jpqr_account, parse
from sanpo.services.cash.model import Shop
from sanpo.services.cash.shops import printable_code, shop_of
from sanpo.services.cash.store import SQL


@dataclass(frozen=True)
class Asked:
    """Whom to pay, and how much: None where the payer says it. `payload` is what `pay` takes."""

    shop: Shop
    payload: str
    amount_yen: int | None


def read_code(city: City, text: str) -> Asked:
    """Reads a payload, or the 13 digits of a shop, however grouped. Raises `QrIsInvalid`, `QrIsNotJpqr`, `NotFound`."""
    digits = re.sub(r"[\s-]", "", _narrow(text))
    if re.fullmatch("[0-9]{13}", digits):
        shop = _shop(city, digits)
        return Asked(shop, printable_code(shop), None)
    payload = text.strip()
    code = parse(payload)
    shop = _shop(city, jpqr_account(code).merchant)
    return Asked(shop, payload, None if code.amount is None else int(code.amount))


def read_digits(text: str) -> str:
    """The digits of a code as it was read or typed, in groups or in wide letters."""
    return re.sub("[^0-9]", "", _narrow(text))


def read_yen(text: str) -> int | None:
    """Whole yen as people write them (`１，２００円`, `¥1,200`); None where it is no such number."""
    plain = re.sub(r"[\s,円¥\\]", "", _narrow(text))
    return int(plain) if re.fullmatch("[0-9]{1,12}", plain) else None


def on_city_clock(city: City, moment: datetime) -> datetime:
    """A moment that came without an offset is one on the city's clock."""
    return moment if moment.tzinfo else moment.replace(tzinfo=city.settings.zone)


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text)


def _shop(city: City, merchant: str) -> Shop:
    row = city.db.read(SQL.shop_by_merchant, merchant=merchant)
    if row is None:
        raise NotFound(what="shop")
    return shop_of(row)
