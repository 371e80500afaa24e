"""The stored tree: C2SP tlog-tiles, 256 hashes to a tile, where a hash of level L stands for 256^L leaves.

Pure. Tiles only ever grow at their right end, so every tile of an earlier size is a prefix of the stored one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from sanpo.journal import merkle
from sanpo.journal.merkle import HASH_BYTES, Range

HEIGHT = 8
WIDTH = 1 << HEIGHT
Place = tuple[int, int]
"""Level and index of a tile."""
Tiles = Mapping[Place, bytes]
"""Tiles as concatenated hashes."""
# Four groups of `x` and digits reach 2.56e17 entries, which a bigint still counts.
_TILE_PATH = re.compile(r"((?:x[0-9]{3}/){0,4}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def width(level: int, index: int, size: int) -> int:
    """How many hashes the tile has in a tree of `size`: 0 (not there) to 256."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def edge(size: int) -> list[Place]:
    """The partial tiles at the right end of a tree of `size`: what must be at hand to let it grow."""
    found = []
    level = 0
    while size >> HEIGHT * level:
        if (size >> HEIGHT * level) % WIDTH:
            found.append((level, size >> HEIGHT * (level + 1)))
        level += 1
    return found


def grow(size: int, tiles: Tiles, leaves: Sequence[bytes]) -> dict[Place, bytes]:
    """The tiles that are new or longer when leaf hashes follow a tree of `size`; needs the tiles of `edge(size)`."""
    changed: dict[Place, bytes] = {}
    level, added = 0, list(leaves)
    while added:
        before = size >> HEIGHT * level
        index = before // WIDTH
        hashes = tiles[level, index] if before % WIDTH else b""
        hashes += b"".join(added)
        added = []
        for offset in range(0, len(hashes), WIDTH * HASH_BYTES):
            tile = hashes[offset : offset + WIDTH * HASH_BYTES]
            changed[level, index] = tile
            if len(tile) == WIDTH * HASH_BYTES:
                added.append(_interior(tile)[HEIGHT][0])
            index += 1
        level += 1
    return changed


def root(size: int, tiles: Tiles) -> bytes:
    """The root of a tree of `size`; needs the tiles of `edge(size)`."""
    return range_hash(0, size, tiles) if size else merkle.EMPTY_ROOT


def range_hash(start: int, end: int, tiles: Tiles) -> bytes:
    """The hash of the node over leaves `[start, end)`; needs the tiles of `places([(start, end)])`."""
    found = b""
    for low, height in reversed(list(_full_subtrees(start, end))):
        level, inner = divmod(height, HEIGHT)
        index, offset = divmod(low >> HEIGHT * level, WIDTH)
        part = _interior(tiles[level, index])[inner][offset >> inner]
        found = merkle.node_hash(part, found) if found else part
    return found


def places(ranges: Iterable[Range]) -> set[Place]:
    """The tiles that hold the hashes of these ranges."""
    return {
        (height // HEIGHT, low >> HEIGHT * (height // HEIGHT + 1))
        for start, end in ranges
        for low, height in _full_subtrees(start, end)
    }


def _full_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and height of the full subtrees, largest first, that a node over `[start, end)` is folded from."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield start, height
        start += 1 << height


@lru_cache(maxsize=256)
def _interior(tile: bytes) -> list[list[bytes]]:
    """All full nodes inside a tile by height. Kept by content, so no growth can make it wrong; 40 kB at most each."""
    levels = [[tile[at : at + HASH_BYTES] for at in range(0, len(tile), HASH_BYTES)]]
    while len(levels[-1]) > 1:
        below = levels[-1]
        levels.append(merkle.parents(below[: len(below) // 2 * 2]))
    return levels


def tile_number(index: int) -> str:
    """The path of a tile's index: groups of three digits, all but the last after an `x` (C2SP tlog-tiles)."""
    groups = [f"{index % 1000:03}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03}")
    return "/".join(reversed(groups))


def parse_tile_path(path: str) -> tuple[int, int] | None:
    """Index and width from `x001/x234/067` or `x001/x234/067.p/8`; None where the path is not the one right form."""
    found = _TILE_PATH.fullmatch(path)
    if found is None:
        return None
    index = int(found[1].replace("x", "").replace("/", ""))
    wide = int(found[2]) if found[2] else WIDTH
    if tile_number(index) != found[1] or (found[2] and wide >= WIDTH):
        return None
    return index, wide
