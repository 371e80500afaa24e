"""Signed notes, the form in which the journal says how long it is: C2SP signed-note, tlog-checkpoint, tlog-cosignature.

Pure. Parsing is strict (one text, one meaning), so that printing gives back the very bytes that were read.
"""

import base64
import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from sanpo.journal.model import NoteIsMalformed, VerifierKeyIsMalformed

ED25519 = 0x01
COSIGNATURE_V1 = 0x04
MAX_SIGNATURES = 64
_NAME = re.compile(r"[^\s+]+")
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_NOT_TEXT = re.compile(r"[\x00-\x09\x0b-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class VerifierKey:
    """A public key that someone trusts: of the log (`ED25519`) or of a witness (`COSIGNATURE_V1`)."""

    name: str
    algorithm: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that a signature line repeats."""
        return sha256(self.name.encode() + b"\n" + bytes([self.algorithm]) + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{encode(bytes([self.algorithm]) + self.public)}"

    def signed(self, text: str, signature: bytes) -> bool:
        """True where `signature` (64 bytes, RFC 8032) is this key's over `text`."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True)
class Signature:
    """One signature line. `body` is what follows the key id; its form is the algorithm's."""

    name: str
    key_id: bytes
    body: bytes

    def __str__(self) -> str:
        return f"— {self.name} {encode(self.key_id + self.body)}\n"


@dataclass(frozen=True)
class Note:
    """A text, which ends in a newline, and its signatures. `str()` is the note as it is sent."""

    text: str
    signatures: tuple[Signature, ...]

    def __str__(self) -> str:
        return self.text + "\n" + "".join(map(str, self.signatures))


@dataclass(frozen=True)
class TreeHead:
    """What a checkpoint states: the log `origin` has `size` entries under `root`."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        return f"{self.origin}\n{self.size}\n{encode(self.root)}\n"


@dataclass(frozen=True)
class Cosignature:
    """A witness saw this tree head, consistent with all before, at `unix_s`."""

    name: str
    unix_s: int


def parse_key(text: str) -> VerifierKey:
    """Reads `name+hash+base64`. Raises `VerifierKeyIsMalformed`."""
    name, _, rest = text.strip().partition("+")
    digest, _, keyed = rest.partition("+")
    try:
        material = decode(keyed)
        key = VerifierKey(name, material[0], material[1:])
    except (ValueError, IndexError):
        raise VerifierKeyIsMalformed(problem="not of the form name+hash+base64") from None
    if not _NAME.fullmatch(name) or key.key_id.hex() != digest:
        raise VerifierKeyIsMalformed(problem="the hash does not belong to this name and key")
    if key.algorithm not in (ED25519, COSIGNATURE_V1) or len(key.public) != 32:
        raise VerifierKeyIsMalformed(problem="not an Ed25519 key of a log or of a witness")
    return key


def parse_note(text: str) -> Note:
    """Splits a note at its last empty line. Raises `NoteIsMalformed`; verifies nothing."""
    head, gap, tail = text.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or _NOT_TEXT.search(text):
        raise NoteIsMalformed(problem="no text and signature lines, parted by an empty line")
    lines = tail[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteIsMalformed(problem=f"more than {MAX_SIGNATURES} signatures")
    return Note(head + "\n", tuple(map(_parse_signature, lines)))


def parse_tree_head(text: str) -> TreeHead:
    """Reads a checkpoint's text; extension lines, which nobody can audit, are refused. Raises `NoteIsMalformed`."""
    lines = text.split("\n")
    if len(lines) != 4 or lines.pop() or not lines[0] or not _NUMBER.fullmatch(lines[1]):
        raise NoteIsMalformed(problem="a checkpoint's text is origin, size and root, one line each")
    origin, size, root = lines
    head = TreeHead(origin, int(size), _decoded(root))
    if len(head.root) != 32:
        raise NoteIsMalformed(problem="the root is not 32 bytes")
    return head


def sign_tree_head(head: TreeHead, key: VerifierKey, sign: Callable[[bytes], bytes]) -> Note:
    """The checkpoint: `head` signed by the log's own key."""
    return Note(head.text, (Signature(key.name, key.key_id, sign(head.text.encode())),))


def is_signed_by(note: Note, key: VerifierKey) -> bool:
    """True where the note has the log key's signature, and every signature in that key's name and id is right."""
    found = [s for s in note.signatures if (s.name, s.key_id) == (key.name, key.key_id)]
    return key.algorithm == ED25519 and bool(found) and all(key.signed(note.text, s.body) for s in found)


def cosignature_of(note: Note, witness: VerifierKey) -> Cosignature | None:
    """The witness's cosignature/v1 on this checkpoint, verified; None where it gave none.

    Raises `NoteIsMalformed` where a line carries the witness's name and key id, but its signature is not right.
    """
    for signature in note.signatures:
        if (signature.name, signature.key_id) != (witness.name, witness.key_id):
            continue
        unix_s = int.from_bytes(signature.body[:8])
        statement = f"cosignature/v1\ntime {unix_s}\n{note.text}"
        if witness.algorithm != COSIGNATURE_V1 or not witness.signed(statement, signature.body[8:]):
            raise NoteIsMalformed(problem=f"the signature of {witness.name} is wrong")
        return Cosignature(witness.name, unix_s)
    return None


def encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes:
    """Standard base 64; raises `ValueError` unless `text` is the one right encoding of its bytes."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise ValueError("not base 64") from error
    if encode(data) != text:
        raise ValueError("not the canonical base 64")
    return data


def _decoded(text: str) -> bytes:
    try:
        return decode(text)
    except ValueError as error:
        raise NoteIsMalformed(problem=str(error)) from None


def _parse_signature(line: str) -> Signature:
    dash, name, body, *more = [*line.split(" "), "", ""]
    if dash != "—" or more != ["", ""] or not _NAME.fullmatch(name):
        raise NoteIsMalformed(problem="a signature line is a dash, a name and base 64")
    data = _decoded(body)
    if len(data) < 5:
        raise NoteIsMalformed(problem="a signature is four bytes of key id and more")
    return Signature(name, data[:4], data[4:])
