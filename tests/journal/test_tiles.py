"""Tiles: a tree that grows in any steps has the same tiles, roots and proofs as one made at once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.journal import merkle, tiles

LEAVES = [merkle.leaf_hash(number.to_bytes(4)) for number in range(70_000)]


def grown(*steps: int) -> dict[tuple[int, int], bytes]:
    """The stored tiles after the tree grew by these steps, each of which sees only what the store must hand it."""
    stored: dict[tuple[int, int], bytes] = {}
    size = 0
    for step in steps:
        at_hand = {place: stored[place] for place in tiles.edge(size)}
        changed = tiles.grow(size, at_hand, LEAVES[size : size + step])
        assert all(hashes.startswith(stored.get(place, b"")) for place, hashes in changed.items())
        stored.update(changed)
        size += step
        edge = {place: stored[place] for place in tiles.edge(size)}
        assert tiles.root(size, edge) == merkle.root(LEAVES[:size])
    return stored


def test_tiles_have_the_widths_of_the_specifications_example() -> None:
    """C2SP tlog-tiles: 70,000 entries are 273 full tiles of level 0, one of 112; one of 256 and one of 17; one of 1."""
    stored = grown(70_000)
    widths = {place: len(hashes) // 32 for place, hashes in stored.items()}
    assert sum(1 for (level, _), width in widths.items() if level == 0 and width == 256) == 273
    assert {place: width for place, width in widths.items() if width < 256 or place[0] > 0} == {
        (0, 273): 112,
        (1, 0): 256,
        (1, 1): 17,
        (2, 0): 1,
    }
    assert all(tiles.width(*place, 70_000) == width for place, width in widths.items())
    assert tiles.width(0, 274, 70_000) == 0


def test_a_full_tile_starts_the_level_above() -> None:
    stored = grown(256)
    assert set(stored) == {(0, 0), (1, 0)}
    assert stored[1, 0] == merkle.root(LEAVES[:256])


@given(st.lists(st.integers(1, 700), max_size=6))
def test_tiles_are_the_same_in_whatever_steps_they_grew(steps: list[int]) -> None:
    assert grown(*steps) == tiles.grow(0, {}, LEAVES[: sum(steps)])


@given(st.data(), st.integers(1, 1500))
def test_proofs_from_tiles_are_those_of_the_tree_in_memory(data: st.DataObject, size: int) -> None:
    stored = tiles.grow(0, {}, LEAVES[:1500])  # larger than `size`: old proofs come from tiles that have grown since
    ranges = merkle.inclusion_ranges(data.draw(st.integers(0, size - 1)), size)
    at_hand = {place: stored[place] for place in tiles.places(ranges)}
    assert [tiles.range_hash(*each, at_hand) for each in ranges] == merkle.hashes_of(ranges, LEAVES)


@pytest.mark.parametrize(("index", "path"), [(0, "000"), (67, "067"), (1000, "x001/000"), (1234067, "x001/x234/067")])
def test_tile_number_is_read_as_it_is_written(index: int, path: str) -> None:
    assert tiles.tile_number(index) == path
    assert tiles.parse_tile_path(path) == (index, 256)
    assert tiles.parse_tile_path(f"{path}.p/8") == (index, 8)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "0",
        "00",
        "0000",
        "x000/001",
        "001/000",
        "x001",
        "000.p/0",
        "000.p/256",
        "000.p/08",
        "000.p/",
        "000.p/1/2",
        "-01",
        "٠٠٠",
        "000\n",
        " 000",
        "000.P/1",
        "x999/" * 6 + "999",
        "9" * 5000,
    ],
)
def test_tile_path_is_refused_when_it_is_not_the_one_right_form(path: str) -> None:
    assert tiles.parse_tile_path(path) is None


@given(st.integers(0, 10**15 - 1), st.integers(1, 255))
def test_tile_path_reads_back_every_number(index: int, width: int) -> None:
    assert tiles.parse_tile_path(f"{tiles.tile_number(index)}.p/{width}") == (index, width)
