"""Merkle trees of RFC 6962 §2.1: hashes, proofs, and the checks of RFC 9162 §2.1.3 that a stranger runs on them.

Pure. A range `[start, end)` names the leaves under one node; a proof is the hashes of a list of such ranges, so that
the same list serves a tree in memory and one that is stored in tiles. Subtrees are those of
draft-ietf-plants-merkle-tree-certs §4: `start` is a multiple of the least power of two that holds the range.
"""

from collections.abc import Sequence
from hashlib import sha256

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
Range = tuple[int, int]


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of one entry: SHA-256(0x00 || leaf)."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def parents(hashes: Sequence[bytes]) -> list[bytes]:
    """The level above; a last hash without a neighbour moves up as it is."""
    each = iter(hashes)
    above = [sha256(b"\x01" + left + right).digest() for left, right in zip(each, each, strict=False)]
    if len(hashes) % 2:
        above.append(hashes[-1])
    return above


def root(hashes: Sequence[bytes]) -> bytes:
    """The root over leaf hashes (or over the roots of equally large full subtrees, of which the last may be less)."""
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    while len(level) > 1:
        level = parents(level)
    return level[0]


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """What a proof of leaf `index` in a tree of `size` lists, leaf side first (RFC 6962 §2.1.1)."""
    if not 0 <= index < size:
        raise ValueError(f"leaf {index} is not in a tree of {size}")
    start, end = 0, size
    found: list[Range] = []
    while end - start > 1:
        middle = start + _left_size(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(start: int, end: int, size: int) -> list[Range]:
    """What a proof that subtree `[start, end)` is in a tree of `size` lists; with `start` 0, RFC 6962 §2.1.2."""
    if not (is_subtree(start, end) and end <= size):
        raise ValueError(f"[{start}, {end}) is no subtree of a tree of {size}")
    low, high = 0, size
    known = True
    found: list[Range] = []
    while (start, end) != (low, high):
        middle = low + _left_size(high - low)
        if end <= middle:
            found.append((middle, high))
            high = middle
            continue
        if start < middle:
            # The subtree spans both halves; its left half is a node that the verifier must be told.
            start, known = middle, False
        found.append((low, middle))
        low = middle
    return [*([] if known else [(low, high)]), *found[::-1]]


def hashes_of(ranges: Sequence[Range], leaves: Sequence[bytes]) -> list[bytes]:
    """The proof that `ranges` lists, from all leaf hashes."""
    return [root(leaves[start:end]) for start, end in ranges]


def is_subtree(start: int, end: int) -> bool:
    """True where `[start, end)` is one node of some tree."""
    return 0 <= start < end and start % (1 << (end - start - 1).bit_length()) == 0


def inclusion_holds(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Checks that the leaf hash `leaf` is number `index` of the tree (RFC 9162 §2.1.3.2)."""
    return subtree_inclusion_holds(index, 0, size, leaf, proof, tree_root)


def subtree_inclusion_holds(
    index: int, start: int, end: int, leaf: bytes, proof: Sequence[bytes], subtree_root: bytes
) -> bool:
    """The same for leaf `index` of the subtree `[start, end)`."""
    if not (is_subtree(start, end) and start <= index < end and _all_hashes([leaf, *proof])):
        return False
    first, last = index - start, end - start - 1
    found = leaf
    for sibling in proof:
        if last == 0:
            return False
        if first % 2 or first == last:
            found = node_hash(sibling, found)
            while first % 2 == 0 and first:
                first, last = first >> 1, last >> 1
        else:
            found = node_hash(found, sibling)
        first, last = first >> 1, last >> 1
    return last == 0 and found == subtree_root


def consistency_holds(size1: int, size2: int, root1: bytes, root2: bytes, proof: Sequence[bytes]) -> bool:
    """Checks that a tree of `size2` begins with that of `size1` (RFC 9162 §2.1.4.2). An empty tree proves nothing."""
    return size1 > 0 and subtree_consistency_holds(0, size1, size2, root1, root2, proof)


def subtree_consistency_holds(
    start: int, end: int, size: int, subtree_root: bytes, tree_root: bytes, proof: Sequence[bytes]
) -> bool:
    """Checks that `[start, end)` is a subtree of the tree of `size` (draft-ietf-plants-merkle-tree-certs §4.4.3).

    An empty range is in every tree, with the empty root and an empty proof.
    """
    if 0 <= start == end <= size:
        return subtree_root == EMPTY_ROOT and not proof
    if not (is_subtree(start, end) and end <= size and _all_hashes(proof)):
        return False
    low, high, last = _skip_known(start, end - 1, size - 1)
    if low != high and not proof:
        return False
    found_subtree = found_tree = subtree_root if low == high else proof[0]
    for sibling in proof if low == high else proof[1:]:
        if last == 0:
            return False
        if high % 2 or high == last:
            if low < high:
                found_subtree = node_hash(sibling, found_subtree)
            found_tree = node_hash(sibling, found_tree)
            while high % 2 == 0 and high:
                low, high, last = low >> 1, high >> 1, last >> 1
        else:
            found_tree = node_hash(found_tree, sibling)
        low, high, last = low >> 1, high >> 1, last >> 1
    return last == 0 and found_subtree == subtree_root and found_tree == tree_root


class Frontier:
    """The right edge of a growing tree: appends leaf hashes and gives the root at any moment, in O(log n) memory."""

    def __init__(self) -> None:
        self.size = 0
        self._full: list[bytes] = []  # roots of the full subtrees, largest first: one per bit that is set in `size`

    def append(self, leaf: bytes) -> None:
        size = self.size
        while size % 2:
            leaf = node_hash(self._full.pop(), leaf)
            size >>= 1
        self._full.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        if not self._full:
            return EMPTY_ROOT
        found = self._full[-1]
        for left in reversed(self._full[:-1]):
            found = node_hash(left, found)
        return found


def _left_size(size: int) -> int:
    """The largest power of two below `size` (at least 2)."""
    return 1 << (size - 1).bit_length() - 1


def _skip_known(low: int, high: int, last: int) -> tuple[int, int, int]:
    """Climbs to the highest node on the subtree's right edge whose hash needs no neighbour."""
    while low != high and (high == last or high % 2):
        low, high, last = low >> 1, high >> 1, last >> 1
    return low, high, last


def _all_hashes(items: Sequence[bytes]) -> bool:
    return all(len(item) == HASH_BYTES for item in items)
