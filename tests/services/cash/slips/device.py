"""A resident's device: a key, a certificate, a counter. It signs without a network; a bad one signs what it likes."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.ids import new_id, new_number
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.shops import list_shops
from sanpo.services.cash.slips import enrolling
from sanpo.services.cash.slips.model import Certificate, Order, Slip, parse

CAFE = "NANUKAMACHI CAFE"
HOUR = timedelta(hours=1)
PrivateKey = Ed25519PrivateKey | EllipticCurvePrivateKey


def make_key(algorithm: str, secret: int) -> PrivateKey:
    if algorithm == "ed25519":
        return Ed25519PrivateKey.from_private_bytes(secret.to_bytes(32))
    return derive_private_key(secret, SECP256R1())


def public_bytes(key: PrivateKey) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def sign(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    r, s = decode_dss_signature(key.sign(message, ECDSA(SHA256(), deterministic_signing=True)))
    return r.to_bytes(32) + s.to_bytes(32)


class Place(Protocol):
    @property
    def city(self) -> City: ...


@dataclass
class Device:
    town: Place
    owner: Resident
    algorithm: str = "ed25519"
    key_id: str = field(default_factory=lambda: new_id("slk"))
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.key = make_key(self.algorithm, new_number())

    def prepare(self, yen: int = 3_000) -> Outcome:
        key = {"algorithm": self.algorithm, "public_key": self.public_key}
        return enrolling.prepare_slips(self.town.city, self.owner, self.key_id, reserve_yen=yen, **key)  # type: ignore[arg-type]

    @property
    def public_key(self) -> bytes:
        return public_bytes(self.key)

    @property
    def kept(self) -> enrolling.SlipKey:
        return enrolling.get_key(self.town.city, self.owner, self.key_id)

    def sign(self, yen: int, *, slip_no: int = 0, merchant: str = "", at: datetime | None = None) -> str:
        """A slip for the café, or for another shop; with the next number, or with any."""
        merchant = merchant or next(shop.merchant for shop in list_shops(self.town.city) if shop.name == CAFE)
        order = Order(slip_no or next(self.numbers), merchant, yen, at or self.now)
        return str(self.slip(order))

    def slip(self, order: Order) -> Slip:
        return Slip(certificate_of(self), self.kept.certificate[-64:], order, self.sign_order(order))

    def sign_order(self, order: Order) -> bytes:
        return sign(self.key, order.message(self.key_id))

    @property
    def now(self) -> datetime:
        return self.town.city.now()


def certificate_of(device: Device) -> Certificate:
    kept = device.kept
    return Certificate(
        kept.key_id,
        kept.algorithm,
        public_bytes(device.key),
        kept.reserve_yen,
        kept.limit_yen,
        kept.valid_from.astimezone(UTC),
        kept.valid_until.astimezone(UTC),
    )


def changed(text: str, **order: object) -> str:
    """The slip with another order under the signature that it had."""
    slip = parse(text)
    return str(replace(slip, order=replace(slip.order, **order)))  # type: ignore[arg-type]
