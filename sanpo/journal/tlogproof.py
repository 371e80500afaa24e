"""C2SP tlog-proof@v1: one text file that proves, offline, that an entry is in a log.

Pure. Says nothing about the truth of the proof; `verifier.py` does.
"""

import re
from dataclasses import dataclass

from sanpo.journal.model import ProofIsInvalid
from sanpo.journal.note import decode, encode

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})")


@dataclass(frozen=True)
class TlogProof:
    """Entry `index`, the hashes from its sibling to the root's child, the checkpoint verbatim, and opaque `extra`."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes | None = None

    def __str__(self) -> str:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode(self.extra)}")
        lines += [f"index {self.index}", *map(encode, self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint


def parse_proof(text: str) -> TlogProof:
    """The inverse of `str()`. Raises `ProofIsInvalid` at the step `format`."""
    head, gap, checkpoint = text.partition("\n\n")
    lines = head.split("\n")
    if not gap or lines.pop(0) != HEADER:
        raise ProofIsInvalid(step="format", problem=f"does not begin with {HEADER}")
    try:
        extra = decode(lines.pop(0).removeprefix("extra ")) if lines and lines[0].startswith("extra ") else None
        index = _INDEX.fullmatch(lines.pop(0) if lines else "")
        hashes = tuple(map(decode, lines))
    except ValueError as error:
        raise ProofIsInvalid(step="format", problem=str(error)) from None
    if index is None:
        raise ProofIsInvalid(step="format", problem="the line `index` is missing")
    if any(len(item) != 32 for item in hashes):
        raise ProofIsInvalid(step="format", problem="a hash is not 32 bytes")
    return TlogProof(int(index[1]), hashes, checkpoint, extra)
