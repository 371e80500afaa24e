"""Merchant-presented payment codes: EMVCo QR Code Specification for Payment Systems (MPM) 1.1, and JPQR on top of it.

A payload is data objects: two digits of tag, two of length, a value. Lengths count characters. It ends with a checksum
(tag 63) over all before it, the checksum's own tag and length included. A payload is kept as it came, object by object, so
that what was read is printed byte for byte. Pure.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sanpo.ground.errors import DomainError, Kind

JPQR = "jp.or.paymentsjapan"
JAPAN, YEN = "JP", "392"
MAX_CHARACTERS = 512
_TEMPLATES = frozenset({*range(26, 52), 62, 64, *range(80, 100)})
_WIDTHS = {"01": 13, "02": 4, "03": 6, "04": 6}
_LONGEST = {"59": 25, "60": 15, "61": 10}


class QrIsInvalid(DomainError):
    """The text is no payload of a merchant's payment code. Fields: where (tag), problem."""

    code = "cash.qr_is_invalid"
    kind = Kind.INVALID


class QrIsNotJpqr(DomainError):
    """A merchant's payment code, but none of Japan's unified code. Field: problem."""

    code = "cash.qr_is_not_jpqr"
    kind = Kind.INVALID


@dataclass(frozen=True)
class DataObject:
    """One data object: a value, or the objects of a template."""

    tag: str
    value: str
    inside: tuple["DataObject", ...] = ()

    def __str__(self) -> str:
        return f"{self.tag}{len(self.value):02d}{self.value}"

    def find(self, tag: str) -> str | None:
        """The value of an object inside the template."""
        return next((each.value for each in self.inside if each.tag == tag), None)


@dataclass(frozen=True)
class MerchantCode:
    """A payload without its checksum. `str()` gives the payload."""

    objects: tuple[DataObject, ...]

    def find(self, tag: str) -> str | None:
        return next((each.value for each in self.objects if each.tag == tag), None)

    @property
    def is_dynamic(self) -> bool:
        """For one payment (12), not for many (11, or nothing said)."""
        return self.find("01") == "12"

    @property
    def amount(self) -> str | None:
        """As it stands there, such as `1200` or `23.72`; None where the payer says how much."""
        return self.find("54")

    @property
    def templates(self) -> list[DataObject]:
        """The merchant's account information."""
        return [each for each in self.objects if each.inside and 26 <= int(each.tag) <= 51]

    def __str__(self) -> str:
        body = "".join(map(str, self.objects)) + "6304"
        return f"{body}{checksum(body):04X}"


@dataclass(frozen=True)
class JpqrAccount:
    """Under what a shop is registered in the unified code: numbers of merchant (13 digits), store group, store and till."""

    merchant: str
    group: str = "0001"
    store: str = "000001"
    till: str = "000001"


def checksum(text: str) -> int:
    """CRC-16/CCITT-FALSE (polynomial 0x1021, start 0xFFFF) of the text in UTF-8."""
    crc = 0xFFFF
    for byte in text.encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def parse(payload: str) -> MerchantCode:
    """Reads a payload. Raises `QrIsInvalid` with the first thing that is wrong."""
    if len(payload) > MAX_CHARACTERS:
        raise QrIsInvalid(where="payload", problem=f"has {len(payload)} characters; at most {MAX_CHARACTERS}")
    body, given = payload[:-4], payload[-4:]
    if not body.endswith("6304"):
        raise QrIsInvalid(where="63", problem="the checksum is missing")
    if given != f"{checksum(body):04X}":
        raise QrIsInvalid(where="63", problem="the checksum is wrong")
    objects = _objects(body[:-4], nested=False)
    code = MerchantCode(objects)
    if not objects or str(objects[0]) != "000201":
        raise QrIsInvalid(where="00", problem="does not begin with the payload format indicator 01")
    _check(code)
    return code


def jpqr_account(code: MerchantCode) -> JpqrAccount:
    """The shop's account of a JPQR code. Raises `QrIsNotJpqr`."""
    if code.find("58") != JAPAN:
        raise QrIsNotJpqr(problem=f"the country is {code.find('58')}, not {JAPAN}")
    if code.find("53") != YEN:
        raise QrIsNotJpqr(problem=f"the currency is {code.find('53')}, not {YEN}")
    account = next((each for each in code.templates if each.find("00") == JPQR), None)
    if account is None:
        raise QrIsNotJpqr(problem=f"no account information (tags 26 to 51) is of {JPQR}")
    numbers = [account.find(tag) or "" for tag in _WIDTHS]
    for tag, width, number in zip(_WIDTHS, _WIDTHS.values(), numbers, strict=True):
        if not re.fullmatch(f"[0-9]{{{width}}}", number):
            raise QrIsNotJpqr(problem=f"number {tag} of the account is not {width} digits")
    amount = code.amount
    if amount is not None and not re.fullmatch("[0-9]{1,13}", amount):
        raise QrIsNotJpqr(problem="the amount is not whole yen")
    return JpqrAccount(*numbers)


def make_code(
    account: JpqrAccount,
    *,
    name: str,
    city: str,
    category: str,
    local_name: str | None = None,
    amount: int | None = None,
    bill: str | None = None,
) -> MerchantCode:
    """A shop's code: static, or for one payment where an amount is given. `name` and `city` in ASCII, `category` ISO 18245.

    `local_name` is the name in Japanese; `bill` the reference by which the shop knows the payment. Raises `QrIsInvalid`.
    """
    numbers = zip(_WIDTHS, (account.merchant, account.group, account.store, account.till), strict=True)
    objects = [
        _leaf("00", "01"),
        _leaf("01", "11" if amount is None else "12"),
        _template("26", [("00", JPQR), *numbers]),
        _leaf("52", category),
        _leaf("53", YEN),
        *([] if amount is None else [_leaf("54", str(amount))]),
        _leaf("58", JAPAN),
        _leaf("59", name),
        _leaf("60", city),
        *([] if bill is None else [_template("62", [("01", bill)])]),
        *([] if local_name is None else [_template("64", [("00", "JA"), ("01", local_name)])]),
    ]
    code = MerchantCode(tuple(objects))
    if parse(str(code)) != code:
        raise QrIsInvalid(where="payload", problem="does not read as it was written")
    jpqr_account(code)
    return code


def _leaf(tag: str, value: str) -> DataObject:
    if not 1 <= len(value) <= 99:
        raise QrIsInvalid(where=tag, problem="has no value of 1 to 99 characters")
    return DataObject(tag, value)


def _template(tag: str, parts: Iterable[tuple[str, str]]) -> DataObject:
    inside = tuple(_leaf(*part) for part in parts)
    return DataObject(tag, _leaf(tag, "".join(map(str, inside))).value, inside)


def _objects(text: str, *, nested: bool) -> tuple[DataObject, ...]:
    found: list[DataObject] = []
    seen: set[str] = set()
    at = 0
    while at < len(text):
        head = text[at : at + 4]
        if not (len(head) == 4 and head.isascii() and head.isdigit()):
            raise QrIsInvalid(where=head[:2], problem=f"no tag and length of two digits each at character {at}")
        tag, length = head[:2], int(head[2:])
        value = text[at + 4 : at + 4 + length]
        if len(value) < length or not length:
            raise QrIsInvalid(where=tag, problem=f"says {length} characters and has {len(value)}")
        if tag in seen:
            raise QrIsInvalid(where=tag, problem="comes twice")
        seen.add(tag)
        is_template = not nested and int(tag) in _TEMPLATES
        found.append(DataObject(tag, value, _objects(value, nested=True) if is_template else ()))
        at += 4 + length
    return tuple(found)


def _check(code: MerchantCode) -> None:
    """What the specification requires of each code (§4.1 and table 3.1)."""
    for tag, form, what in _FORMS:
        value = code.find(tag)
        if value is None and tag in _REQUIRED:
            raise QrIsInvalid(where=tag, problem=f"{what} is missing")
        if value is not None and not re.fullmatch(form, value):
            raise QrIsInvalid(where=tag, problem=f"is no {what}")
    for tag, longest in _LONGEST.items():
        if len(code.find(tag) or "") > longest:
            raise QrIsInvalid(where=tag, problem=f"is longer than {longest} characters")
    if not any(2 <= int(each.tag) <= 51 for each in code.objects):
        raise QrIsInvalid(where="02-51", problem="the merchant's account information is missing")


_REQUIRED = frozenset({"52", "53", "58", "59", "60"})
_FORMS: Sequence[tuple[str, str, str]] = (
    ("01", "1[12]", "point of initiation method"),
    ("52", "[0-9]{4}", "merchant category code"),
    ("53", "[0-9]{3}", "currency"),
    ("54", r"[0-9]{1,10}(\.[0-9]{0,2})?|[0-9]{1,13}", "amount"),
    ("55", "0[1-3]", "indicator of tip"),
    ("58", "[A-Z]{2}", "country"),
    ("59", ".+", "merchant's name"),
    ("60", ".+", "merchant's city"),
)
