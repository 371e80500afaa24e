"""Writes the reference page of slips with its vectors, which the tests check; a test compares it with what is there."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sanpo.ground.errors import DomainError
from sanpo.ground.ids import id_of
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips.model import (
    CERTIFICATE_CONTEXT,
    SLIP_CONTEXT,
    TEXT,
    Certificate,
    Order,
    Slip,
    Till,
    check,
    parse,
)
from tests.cleanroom.tables import to_markdown
from tests.services.cash.slips.device import make_key, public_bytes, sign

CITY_KEY = make_key("ed25519", 1)
SECRETS = {"ed25519": 2, "es256": 3}
MERCHANT = "1234567890123"
NOW = datetime(2026, 4, 1, 12, 0, tzinfo=UTC)
LATER = timedelta(days=7)


@dataclass(frozen=True)
class Vector:
    """A text, and what a till of `MERCHANT` finds at `NOW` with no tolerance of its clock."""

    name: str
    text: str
    outcome: str

    def found(self) -> str:
        till = Till(public_bytes(CITY_KEY), MERCHANT, NOW, suspended={id_of("slk", 9)})
        try:
            return check(parse(self.text), till).value
        except DomainError as error:
            return error.code


def certificate(algorithm: str = "ed25519", number: int = 7) -> Certificate:
    public_key = public_bytes(make_key(algorithm, SECRETS[algorithm]))
    return Certificate(id_of("slk", number), algorithm, public_key, 3_000, 1_000, NOW - LATER / 2, NOW + LATER / 2)


def signed(of: Certificate, order: Order, city: int = 1, device: int = 0) -> Slip:
    """Signed by the city and the device with these secrets."""
    key = make_key(of.algorithm, device or SECRETS[of.algorithm])
    return Slip(of, sign(make_key("ed25519", city), of.message), order, sign(key, order.message(of.key_id)))


ORDER = Order(1, MERCHANT, 700, NOW)


def good_slip(algorithm: str) -> Slip:
    return signed(certificate(algorithm), ORDER)


def _vectors() -> list[Vector]:
    good, own = good_slip("ed25519"), certificate()
    fewer = replace(own, reserve_yen=2_000)
    cases = {
        "good, Ed25519": (good, Outcome.DONE),
        "good, ES256": (good_slip("es256"), Outcome.DONE),
        "good, the largest amount at the last moment": (
            signed(replace(own, valid_until=NOW), replace(ORDER, slip_no=2**32 - 1, amount_yen=1_000)),
            Outcome.DONE,
        ),
        "signed by another device": (signed(own, ORDER, device=5), Outcome.SLIP_IS_FORGED),
        "certified by another city": (signed(own, ORDER, city=6), Outcome.SLIP_IS_FORGED),
        "amount changed after signing": (replace(good, order=replace(ORDER, amount_yen=70)), Outcome.SLIP_IS_FORGED),
        "shop changed after signing": (replace(good, order=replace(ORDER, merchant="0" * 13)), Outcome.SLIP_IS_FORGED),
        "certificate changed after signing": (replace(good, certificate=fewer), Outcome.SLIP_IS_FORGED),
        "for another shop": (signed(own, replace(ORDER, merchant="9" * 13)), Outcome.SLIP_IS_FOR_ANOTHER_SHOP),
        "above the limit": (signed(own, replace(ORDER, amount_yen=1_001)), Outcome.SLIP_IS_ABOVE_ITS_LIMIT),
        "amount of nothing": (signed(own, replace(ORDER, amount_yen=0)), Outcome.SLIP_IS_ABOVE_ITS_LIMIT),
        "signed after the certificate's end": (
            signed(replace(own, valid_until=NOW - LATER / 3), ORDER),
            Outcome.SLIP_IS_OVER,
        ),
        "signed before its beginning": (
            signed(replace(own, valid_from=NOW + LATER / 4, valid_until=NOW + LATER), ORDER),
            Outcome.SLIP_IS_OVER,
        ),
        "signed in the future": (
            signed(own, replace(ORDER, issued_at=NOW + timedelta(seconds=1))),
            Outcome.SLIP_IS_OVER,
        ),
        "of a suspended key": (signed(certificate(number=9), ORDER), Outcome.SLIP_KEY_IS_SUSPENDED),
    }
    found = [Vector(name, str(slip), outcome.value) for name, (slip, outcome) in cases.items()]
    cut = str(good)[:-8]
    return [*found, Vector("cut off", cut, "cash.slip_is_malformed")]


VECTORS = _vectors()
MADE = "<!-- Made by tests/services/cash/slips/reference_pages.py from the code; `make docs`. -->"


def slips_page() -> str:
    limits = rules()
    good = good_slip("ed25519")
    parts = [
        MADE,
        "# Slips",
        "A slip is a payment that a resident's device signs while there is no network, and that a shop redeems "
        "later. This page "
        "is exact enough to write a device or a till. Numbers are unsigned and big-endian; times are whole "
        "seconds since "
        "1970-01-01T00:00:00Z.",
        "## What a shop can rest on",
        "While there is a network, the resident's device registers its public key and the city reserves money "
        "in the resident's "
        "wallet: the ledger keeps it from being spent in another way. The city signs a *certificate* of the "
        "key. A slip carries "
        "it, so that a till needs only the city's public key (`GET /api/journal/vkey`; `name+hash+base64`, "
        "whose 33 bytes are "
        "1 and the 32 of an Ed25519 key) to know that money is reserved, how much one slip may be, and until "
        "when slips may be "
        "signed. What it cannot know offline is whether another shop got the same number, or whether more was "
        "signed than is "
        "reserved: that shows when it is redeemed, and is traced to the key. So a shop's risk is the slips that "
        "it takes before "
        "its next network, each at most the limit; the list of suspended keys (`GET "
        "/api/cash/slip-keys/suspended`) makes it less.",
        to_markdown(
            ["rule", "in `manifest.toml`", "now"],
            [
                ["one slip, at most", "`slip_limit_yen`", f"¥{limits.slip_limit_yen:,}"],
                [
                    "reserved by a resident, in all keys together, at most",
                    "`slip_reserve_yen`",
                    f"¥{limits.slip_reserve_yen:,}",
                ],
                ["slips are signed for", "`slip_days`", f"{limits.slip_days} days"],
                ["and redeemed for, after that", "`slip_grace_days`", f"{limits.slip_grace_days} days"],
                ["a clock may be off by", "`slip_clock_minutes`", f"{limits.slip_clock_minutes} minutes"],
            ],
        ),
        "What is left of a reserve is free again when nothing can be redeemed any more, not before: nobody else "
        "knows what a "
        "device has signed.",
        "## The text",
        f"`{TEXT}` and the base32 (RFC 4648, upper case, without `=`) of certificate, city's signature, order, "
        f"device's "
        "signature, one after the other. All of its letters are in the alphanumeric mode of a QR code; "
        f"{len(str(good))} characters fit version 11 at level M. There is one way to write a slip: a reader "
        f"that would write it "
        "otherwise refuses it.",
        "### Certificate",
        to_markdown(
            ["bytes", "what"],
            [
                ["1", "version, 1"],
                ["16", "the key's id: the UUID of `slk_…`"],
                ["1", "algorithm: 1 Ed25519 (RFC 8032), 2 ES256 (ECDSA with P-256 and SHA-256)"],
                ["32 or 33", "public key: Ed25519's 32 bytes, or the compressed point of P-256 (SEC 1)"],
                ["4", "yen that are reserved"],
                ["4", "yen that one slip may be, at most"],
                ["4", "signed from"],
                ["4", "signed until"],
            ],
        ),
        f"The city signs (Ed25519) the bytes of `{CERTIFICATE_CONTEXT.decode().strip()}`, a newline, and these. "
        f"64 bytes follow.",
        "### Order",
        to_markdown(
            ["bytes", "what"],
            [
                ["4", "number of the slip, from 1; a device never uses one again"],
                ["8", "the shop: its 13 digits in the unified code, as a number"],
                ["4", "yen, from 1"],
                ["4", "when it was signed, by the device's clock"],
            ],
        ),
        f"The device signs the bytes of `{SLIP_CONTEXT.decode().strip()}`, a newline, the version (1), the "
        f"key's id (16 bytes) and "
        "these 20: 64 bytes follow. ES256 writes *r* and *s* as 32 bytes each (IEEE P1363, as WebCrypto does).",
        "## A till without a network",
        "checks in this order, and tells the first that holds:",
        to_markdown(
            ["outcome", "when"],
            [
                ["`slip_is_forged`", "the city's signature, or the device's, does not verify"],
                ["`slip_is_for_another_shop`", "the shop is not its own"],
                ["`slip_is_above_its_limit`", "the amount is 0 or above the certificate's limit"],
                [
                    "`slip_is_over`",
                    "signed outside the certificate's time, or in the future, by more than clocks may be off",
                ],
                ["`slip_key_is_suspended`", "the key is in the list that it carries"],
                ["`done`", "good: hand over the goods, keep the text, redeem it later"],
            ],
        ),
        "`sanpo cash slip verify` is such a till.",
        "## Redeeming",
        "`POST /api/cash/shops/{shop_id}/slips` with the text as `slip`. The outcomes, in order:",
        to_markdown(
            ["outcome", "status", "when"],
            [
                ["`slip_is_forged`, `slip_is_for_another_shop`", "422", "as above"],
                ["`slip_key_is_unknown`", "422", "well signed, but this city has no such key"],
                ["`exists`", "200", "the same order was redeemed before; nothing is paid again"],
                [
                    "`slip_is_spent_twice`",
                    "409",
                    "the number was redeemed for something else: evidence is kept, the key suspended",
                ],
                ["`slip_is_above_its_limit`", "422", "as above"],
                ["`slip_is_over`", "409", "as above, or too late to be redeemed"],
                [
                    "`slip_key_is_suspended`",
                    "409",
                    "the device was lost; or it was suspended for what it signed, and this was signed after that",
                ],
                ["`shop_is_suspended`", "409", "the shop takes no payments at present"],
                ["`slip_is_above_reserve`", "409", "more than is left: evidence is kept, the key suspended"],
                ["`done`", "200", "paid, as a payment with the way `slip`"],
            ],
        ),
        "The evidence is the two signed orders of one number (or the order above the reserve) and the "
        "certificate; officers find "
        "it at `GET /api/cash/slip-offences`, and anybody who holds it can check it with the city's key.",
        "## Vectors",
        f"The city's secret key is the number 1 (32 bytes, big-endian), its public key "
        f"`{public_bytes(CITY_KEY).hex()}`. The device's secret is 2 for Ed25519 and 3 for ES256 "
        f"(deterministic, RFC 6979). The "
        f"till is that of shop {MERCHANT}, its clock stands at {NOW:%Y-%m-%dT%H:%M:%SZ}, trusted to the second; "
        f"it knows the key "
        f"`{id_of('slk', 9)}` as suspended.",
        *(f"**{vector.name}**: `{vector.outcome}`\n\n```text\n{vector.text}\n```" for vector in VECTORS),
    ]
    return "\n\n".join(parts) + "\n"


PAGES: dict[str, Callable[[], str]] = {"docs/reference/slips.md": slips_page}
