"""A slip and the certificate of its key: their bytes, what is signed, and the check that a till makes offline. Pure.

The form is in docs/reference/slips.md. All numbers are big-endian and unsigned, all times whole seconds since 1970 in UTC.
"""

import base64
import binascii
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from sanpo.ground.ids import id_of, number_of
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.slips.errors import SlipIsMalformed, SlipKeyIsInvalid

TEXT = "SLIP1:"
VERSION = b"\x01"
CERTIFICATE_CONTEXT, SLIP_CONTEXT = b"sanpo-slip-certificate\n", b"sanpo-slip\n"
"""What stands before the bytes that are signed, so that no signature is good for anything else."""
SIGNATURE_BYTES = 64
MOST_TEXT = 400
_KEY_BYTES = {"ed25519": 32, "es256": 33}
_ALGORITHMS = {1: "ed25519", 2: "es256"}
_TERMS = Struct(">IIII")
_SLIP = Struct(">IQII")
_CODE = 1 + 16 + 1
_MERCHANTS = 10**13


@dataclass(frozen=True)
class Certificate:
    """The city says of a device's key: `reserve_yen` are reserved, a slip is at most `limit_yen`, signed in this time."""

    key_id: str
    algorithm: str
    public_key: bytes
    reserve_yen: int
    limit_yen: int
    valid_from: datetime
    valid_until: datetime

    @property
    def body(self) -> bytes:
        code = next(code for code, name in _ALGORITHMS.items() if name == self.algorithm)
        times = (int(at.timestamp()) for at in (self.valid_from, self.valid_until))
        key = number_of("slk", self.key_id).to_bytes(16)
        return VERSION + key + bytes([code]) + self.public_key + _TERMS.pack(self.reserve_yen, self.limit_yen, *times)

    @property
    def message(self) -> bytes:
        """What the city signs."""
        return CERTIFICATE_CONTEXT + self.body


@dataclass(frozen=True)
class Order:
    """What a slip says. `merchant` is the shop's number in the unified code, 13 digits."""

    slip_no: int
    merchant: str
    amount_yen: int
    issued_at: datetime

    @property
    def body(self) -> bytes:
        return _SLIP.pack(self.slip_no, int(self.merchant), self.amount_yen, int(self.issued_at.timestamp()))

    def message(self, key_id: str) -> bytes:
        """What the device signs."""
        return SLIP_CONTEXT + VERSION + number_of("slk", key_id).to_bytes(16) + self.body


@dataclass(frozen=True)
class Slip:
    """As it is shown and scanned."""

    certificate: Certificate
    city_signature: bytes
    order: Order
    signature: bytes

    @property
    def message(self) -> bytes:
        return self.order.message(self.certificate.key_id)

    def __str__(self) -> str:
        """Upper-case letters and digits, for the alphanumeric mode of a QR code."""
        packed = self.certificate.body + self.city_signature + self.order.body + self.signature
        return TEXT + base64.b32encode(packed).decode().rstrip("=")


def parse(text: str) -> Slip:
    """Reads what was scanned; nothing is verified yet. Raises `SlipIsMalformed`."""
    text = text.strip()
    if not text.startswith(TEXT) or len(text) > MOST_TEXT:
        raise SlipIsMalformed(problem=f"does not begin with {TEXT}, or is longer than {MOST_TEXT} characters")
    coded = text.removeprefix(TEXT)
    try:
        packed = base64.b32decode(coded + "=" * (-len(coded) % 8))
    except (binascii.Error, ValueError):
        raise SlipIsMalformed(problem="is no base32 (RFC 4648)") from None
    slip = _unpack(packed)
    if str(slip) != text:
        raise SlipIsMalformed(problem="is not written in the one way that there is")
    return slip


def check(slip: Slip, till: "Till") -> Outcome:
    """What a till can tell without a network: `DONE` where the city will pay it, but for a number signed twice, more than
    is left of the reserve, or a key that was suspended since. The first that holds, in the order of `Outcome`."""
    certificate, order = slip.certificate, slip.order
    is_certified = verify(verifier("ed25519", till.city_key), slip.city_signature, certificate.message)
    key = verifier(certificate.algorithm, certificate.public_key)
    if not is_certified or not verify(key, slip.signature, slip.message):
        return Outcome.SLIP_IS_FORGED
    if order.merchant != till.merchant:
        return Outcome.SLIP_IS_FOR_ANOTHER_SHOP
    if not 1 <= order.amount_yen <= certificate.limit_yen:
        return Outcome.SLIP_IS_ABOVE_ITS_LIMIT
    if is_over(slip, till.now, till.tolerance):
        return Outcome.SLIP_IS_OVER
    return Outcome.SLIP_KEY_IS_SUSPENDED if certificate.key_id in till.suspended else Outcome.DONE


@dataclass(frozen=True)
class Till:
    """What a till knows: the city's key (32 bytes, Ed25519), its own number, its clock and how far off clocks may be, and
    the keys that were suspended when it last had a network."""

    city_key: bytes
    merchant: str
    now: datetime
    tolerance: timedelta = timedelta(0)
    suspended: Container[str] = frozenset()


def is_over(slip: Slip, now: datetime, tolerance: timedelta) -> bool:
    """Signed outside of the certificate's time, or in the future, as far as clocks can be trusted."""
    certificate, issued_at = slip.certificate, slip.order.issued_at
    from_ = certificate.valid_from - tolerance
    return not from_ <= issued_at <= min(certificate.valid_until, now) + tolerance


def check_key(algorithm: str, public_key: bytes) -> None:
    """Raises `SlipKeyIsInvalid`."""
    if algorithm not in _KEY_BYTES:
        raise SlipKeyIsInvalid(field="algorithm", problem=f"is none of {', '.join(_KEY_BYTES)}")
    if len(public_key) != _KEY_BYTES[algorithm] or verifier(algorithm, public_key) is None:
        raise SlipKeyIsInvalid(field="public_key", problem=f"is not {_KEY_BYTES[algorithm]} bytes of a point")


def city_key_of(vkey: str) -> bytes:
    """The 32 bytes of a key in the form `name+hash+base64` (`/api/journal/vkey`). Raises `SlipKeyIsInvalid`."""
    try:
        keyed = base64.b64decode(vkey.strip().split("+", 2)[2], validate=True)
    except (IndexError, binascii.Error, ValueError):
        keyed = b""
    if len(keyed) != 33 or keyed[0] != 1:
        raise SlipKeyIsInvalid(field="vkey", problem="is no Ed25519 key of the form name+hash+base64")
    return keyed[1:]


Verify = Callable[[bytes, bytes], None]


def verify(key: Verify | None, signature: bytes, message: bytes) -> bool:
    """Whether the signature is this key's over the message."""
    if key is None:
        return False
    try:
        key(signature, message)
    except InvalidSignature:
        return False
    return True


def verifier(algorithm: str, public_key: bytes) -> Verify | None:
    """The check of a raw public key (RFC 8032, or a compressed point of P-256); None where it is no such key."""
    try:
        if algorithm == "ed25519":
            return Ed25519PublicKey.from_public_bytes(public_key).verify
        point = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    except ValueError:
        return None

    def es256(signature: bytes, message: bytes) -> None:
        """IEEE P1363: r and s of 32 bytes each, as in WebCrypto and JWS."""
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
        point.verify(encode_dss_signature(r, s), message, ECDSA(SHA256()))

    return es256


def _unpack(packed: bytes) -> Slip:
    algorithm = _ALGORITHMS.get(packed[_CODE - 1]) if len(packed) >= _CODE else None
    if algorithm is None or packed[:1] != VERSION:
        raise SlipIsMalformed(problem="is of a version or algorithm that is not known")
    widths = (_KEY_BYTES[algorithm], _TERMS.size, SIGNATURE_BYTES, _SLIP.size, SIGNATURE_BYTES)
    if len(packed) != _CODE + sum(widths):
        raise SlipIsMalformed(problem=f"has {len(packed)} bytes instead of {_CODE + sum(widths)}")
    parts, at = [], _CODE
    for width in widths:
        parts.append(packed[at : at + width])
        at += width
    public_key, terms, city_signature, said, signature = parts
    reserve_yen, limit_yen, *times = _TERMS.unpack(terms)
    slip_no, merchant, amount_yen, issued_at = _SLIP.unpack(said)
    if merchant >= _MERCHANTS or not slip_no:
        raise SlipIsMalformed(problem="has a number that cannot be")
    key_id = id_of("slk", int.from_bytes(packed[1:17]))
    begins, ends = (datetime.fromtimestamp(each, UTC) for each in times)
    certificate = Certificate(key_id, algorithm, public_key, reserve_yen, limit_yen, begins, ends)
    order = Order(slip_no, f"{merchant:013d}", amount_yen, datetime.fromtimestamp(issued_at, UTC))
    return Slip(certificate, city_signature, order, signature)
