"""Sealed sets of residents: one slot opens alone, proves in or out, and says nothing of its neighbours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.journal import merkle, subjects
from sanpo.journal.subjects import BLOCK, Slot

KEY = bytes(range(32))


def bits_of(universe: int, *numbers: int) -> bytes:
    return sum(1 << number for number in numbers).to_bytes(universe // 8, "little")


def opened(number: int, bits: bytes, key: bytes = KEY) -> tuple[Slot, bytes]:
    roots = subjects.block_roots(key, bits)
    block = number // BLOCK
    return subjects.open_slot(number, key, bits[block * BLOCK // 8 : (block + 1) * BLOCK // 8], roots), merkle.root(
        roots
    )


@pytest.mark.parametrize(("universe", "slots"), [(1, 1024), (1024, 1024), (1025, 2048), (120_000, 120_832)])
def test_universe_is_whole_blocks(universe: int, slots: int) -> None:
    assert subjects.whole_blocks(universe) == slots


def test_root_is_that_of_the_documented_leaves() -> None:
    """Made again from the definition alone: one AES-256-CTR key stream from counter 0, RFC 6962 over the slots."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    stream = Cipher(algorithms.AES(KEY), modes.CTR(bytes(16))).encryptor().update(bytes(16 * 3 * BLOCK))
    leaves = [
        merkle.leaf_hash(stream[16 * n : 16 * n + 16] + n.to_bytes(8, "big") + (b"\x01" if n in (5, 2900) else b"\x00"))
        for n in range(3 * BLOCK)
    ]
    roots = subjects.block_roots(KEY, bits_of(3 * BLOCK, 5, 2900))
    assert merkle.root(roots) == merkle.root(leaves)
    assert roots == [merkle.root(leaves[at : at + BLOCK]) for at in (0, BLOCK, 2 * BLOCK)]


@given(st.data(), st.integers(1, 5), st.binary(min_size=32, max_size=32))
def test_slot_proves_its_own_flag_and_no_other(data: st.DataObject, blocks: int, key: bytes) -> None:
    universe = blocks * BLOCK
    members = data.draw(st.sets(st.integers(0, universe - 1), max_size=50))
    number = data.draw(st.integers(0, universe - 1) | st.sampled_from(sorted(members)) if members else st.just(0))
    slot, root = opened(number, bits_of(universe, *members), key)
    assert slot.included is (number in members)
    assert subjects.slot_holds(slot, universe, root)
    for changed in (
        Slot(number, not slot.included, slot.salt, slot.path),
        Slot(number ^ 1, slot.included, slot.salt, slot.path),
        Slot(number, slot.included, bytes(16), slot.path),
        Slot(number, slot.included, slot.salt, slot.path[1:]),
    ):
        assert not subjects.slot_holds(changed, universe, root)


def test_slot_holds_only_for_its_own_use() -> None:
    bits = bits_of(BLOCK, 5)
    slot, root = opened(5, bits)
    _, other = opened(5, bits, key=bytes(32))
    assert subjects.slot_holds(slot, BLOCK, root)
    assert not subjects.slot_holds(slot, BLOCK, other)


def test_neighbours_flag_cannot_be_told_from_an_opened_slot() -> None:
    """The neighbour's leaf hash is on the path; without its salt, neither flag gives it."""
    slot, _ = opened(4, bits_of(BLOCK, 5))
    guesses = {merkle.leaf_hash(slot.salt + (5).to_bytes(8, "big") + flag) for flag in (b"\x00", b"\x01")}
    assert slot.path[0] not in guesses
    assert len({opened(number, bits_of(BLOCK, 5))[0].salt for number in range(20)}) == 20
