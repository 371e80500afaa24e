"""SQL in named files: each district's `queries.sql` holds blocks that begin with `-- name: something`."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^--\s*name:\s*(\w+)\s*$", re.MULTILINE)


class Queries:
    """The blocks of one file as attributes. A name that is not there raises `AttributeError`."""

    def __init__(self, blocks: dict[str, str], source: str) -> None:
        self._blocks = blocks
        self._source = source

    def __getattr__(self, name: str) -> str:
        try:
            return self._blocks[name]
        except KeyError:
            raise AttributeError(f"{self._source} has no block named {name!r}") from None

    def names(self) -> list[str]:
        return list(self._blocks)


@cache
def load_queries(package: str) -> Queries:
    """Reads `queries.sql` of this package once."""
    text = files(package).joinpath("queries.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    names = parts[1::2]
    if len(set(names)) != len(names):
        raise ValueError(f"{package}/queries.sql names a block twice")
    return Queries(dict(zip(names, (part.strip() for part in parts[2::2]), strict=True)), f"{package}/queries.sql")
