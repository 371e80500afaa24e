"""The city's signing key (Ed25519) and the secrets derived from its master secret.

In production the master secret comes from `SANPO_MASTER_SECRET`; a demo makes one and keeps it in `SANPO_HOME/keys`.
"""

import base64
import contextlib
import hashlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from sanpo.ground.errors import DomainError, Kind
from sanpo.ground.lazy import lazy

_NONCE = 12


class MasterSecretIsMissing(DomainError):
    """Production was started without a master secret. `setting` names what must be set."""

    code = "ground.master_secret_is_missing"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Keys:
    """Everything that the city signs or hides derives from `master` (32 bytes or more)."""

    master: bytes

    def secret(self, label: str) -> bytes:
        """32 bytes for one use, by HKDF-SHA256 (RFC 5869) with `label` as info."""
        found = self._derived.get(label)
        if found is None:
            derivation = HKDF(algorithm=SHA256(), length=32, salt=b"sanpo", info=label.encode())
            found = self._derived[label] = derivation.derive(self.master)
        return found

    def seal(self, label: str, data: bytes) -> str:
        """Hides data from whoever has not the master secret: AES-256-GCM (NIST SP 800-38D), nonce first, in base64url."""
        nonce = secrets.token_bytes(_NONCE)
        return base64.urlsafe_b64encode(nonce + AESGCM(self.secret(label)).encrypt(nonce, data, None)).decode()

    def unseal(self, label: str, sealed: str) -> bytes | None:
        """What `seal` has hidden under this label; None where it was another secret, or somebody has changed it."""
        try:
            given = base64.urlsafe_b64decode(sealed)
            return AESGCM(self.secret(label)).decrypt(given[:_NONCE], given[_NONCE:], None)
        except (InvalidTag, ValueError):
            return None

    @lazy
    def _derived(self) -> dict[str, bytes]:
        return {}

    @lazy
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.secret("signing"))

    @lazy
    def public_bytes(self) -> bytes:
        """The 32 bytes of the Ed25519 public key."""
        return self._private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    def sign(self, data: bytes) -> bytes:
        """A 64-byte Ed25519 signature (RFC 8032)."""
        return self._private.sign(data)

    def vkey(self, name: str) -> str:
        """The verifier key in the C2SP signed-note form `name+hash+base64(0x01 || key)`."""
        keyed = b"\x01" + self.public_bytes
        digest = hashlib.sha256(name.encode() + b"\n" + keyed).digest()[:4]
        return f"{name}+{digest.hex()}+{base64.b64encode(keyed).decode()}"


def open_keys(home: Path, master_secret: str, *, demo: bool) -> Keys:
    """The keys from the setting, or in a demo from a file made at first use (mode 0600)."""
    if master_secret:
        return Keys(hashlib.sha256(master_secret.encode()).digest())
    if not demo:
        raise MasterSecretIsMissing(setting="SANPO_MASTER_SECRET")
    file = home / "keys" / "master"
    if not file.exists():
        _make_master(file)
    return Keys(file.read_bytes())


def _make_master(file: Path) -> None:
    """Writes beside and links, so that a process that starts at the same moment sees a whole file or none."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"master.{os.getpid()}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(secrets.token_bytes(32))
    with contextlib.suppress(FileExistsError):
        os.link(draft, file)
    draft.unlink()
