"""The tree: hand-written cases from RFC 6962 and RFC 9162, and proofs against trees made at random."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.journal import merkle
from sanpo.journal.merkle import leaf_hash, node_hash

# The eight leaves and the roots that every implementation since RFC 6962 agrees on.
LEAVES = [
    leaf_hash(bytes.fromhex(text))
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


def leaves_of(size: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4)) for number in range(size)]


def flipped(data: bytes, bit: int) -> bytes:
    return bytes(byte ^ (1 << bit % 8 if at == bit // 8 else 0) for at, byte in enumerate(data))


def test_empty_tree_has_the_hash_of_nothing_as_root() -> None:
    assert merkle.root([]) == merkle.Frontier().root() == sha256(b"").digest()


@pytest.mark.parametrize("size", ROOTS)
def test_root_is_that_of_the_published_tree(size: int) -> None:
    assert merkle.root(LEAVES[:size]).hex() == ROOTS[size]


def test_inclusion_proof_lists_the_nodes_of_the_rfcs_example() -> None:
    """RFC 9162 §2.1.5: in a tree of seven, the paths of d0, d3, d4 and d6 are [b,h,l], [c,g,l], [f,j,k] and [i,k]."""
    assert merkle.inclusion_ranges(0, 7) == [(1, 2), (2, 4), (4, 7)]
    assert merkle.inclusion_ranges(3, 7) == [(2, 3), (0, 2), (4, 7)]
    assert merkle.inclusion_ranges(4, 7) == [(5, 6), (6, 7), (0, 4)]
    assert merkle.inclusion_ranges(6, 7) == [(4, 6), (0, 4)]


def test_consistency_proof_lists_the_nodes_of_the_rfcs_example() -> None:
    """RFC 9162 §2.1.5: to a tree of seven from three [c,d,g,l], from four [l], from six [i,j,k]."""
    assert merkle.consistency_ranges(0, 3, 7) == [(2, 3), (3, 4), (0, 2), (4, 7)]
    assert merkle.consistency_ranges(0, 4, 7) == [(4, 7)]
    assert merkle.consistency_ranges(0, 6, 7) == [(4, 6), (6, 7), (0, 4)]


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 3), (3, 3)])
def test_inclusion_proof_is_refused_when_the_leaf_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="not in a tree"):
        merkle.inclusion_ranges(index, size)


@pytest.mark.parametrize(("start", "end", "size"), [(0, 0, 4), (1, 3, 4), (0, 5, 4), (4, 7, 6)])
def test_consistency_proof_is_refused_when_the_range_is_no_subtree(start: int, end: int, size: int) -> None:
    with pytest.raises(ValueError, match="no subtree"):
        merkle.consistency_ranges(start, end, size)


@given(st.data(), st.integers(1, 300))
def test_inclusion_proof_holds_and_fails_when_anything_is_tampered_with(data: st.DataObject, size: int) -> None:
    leaves = leaves_of(size)
    root, index = merkle.root(leaves), data.draw(st.integers(0, size - 1))
    proof = merkle.hashes_of(merkle.inclusion_ranges(index, size), leaves)
    assert merkle.inclusion_holds(index, size, leaves[index], proof, root)
    bit = data.draw(st.integers(0, 255))
    assert not merkle.inclusion_holds(index, size, flipped(leaves[index], bit), proof, root)
    assert not merkle.inclusion_holds(index, size, leaves[index], proof, flipped(root, bit))
    assert not merkle.inclusion_holds(index, size, leaves[index], [*proof, root], root)
    if proof:
        at = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.inclusion_holds(index, size, leaves[index], changed, root)
        assert not merkle.inclusion_holds(index, size, leaves[index], proof[:-1], root)
    other = data.draw(st.integers(0, size))
    if other != index:
        assert not merkle.inclusion_holds(other, size, leaves[index], proof, root)


@given(st.data(), st.integers(1, 300))
def test_subtree_consistency_holds_and_fails_when_anything_is_tampered_with(data: st.DataObject, size: int) -> None:
    leaves, root = leaves_of(size), merkle.root(leaves_of(size))
    width = data.draw(st.integers(1, size))
    step = 1 << (width - 1).bit_length()
    start = step * data.draw(st.integers(0, (size - width) // step))
    end = start + width
    subtree = merkle.root(leaves[start:end])
    proof = merkle.hashes_of(merkle.consistency_ranges(start, end, size), leaves)
    assert merkle.subtree_consistency_holds(start, end, size, subtree, root, proof)
    bit = data.draw(st.integers(0, 255))
    assert not merkle.subtree_consistency_holds(start, end, size, flipped(subtree, bit), root, proof)
    assert not merkle.subtree_consistency_holds(start, end, size, subtree, flipped(root, bit), proof)
    assert not merkle.subtree_consistency_holds(start, end, size, subtree, root, [*proof, root])
    for at in range(len(proof)):
        changed = [*proof[:at], flipped(proof[at], bit), *proof[at + 1 :]]
        assert not merkle.subtree_consistency_holds(start, end, size, subtree, root, changed)


@given(st.integers(0, 300))
def test_frontier_has_the_root_of_the_whole_tree(size: int) -> None:
    frontier, leaves = merkle.Frontier(), leaves_of(size)
    for leaf in leaves:
        frontier.append(leaf)
    assert (frontier.size, frontier.root()) == (size, merkle.root(leaves))


def test_node_and_leaf_hashes_of_the_same_bytes_differ() -> None:
    left, right = LEAVES[:2]
    assert node_hash(left, right) != leaf_hash(left + right)
