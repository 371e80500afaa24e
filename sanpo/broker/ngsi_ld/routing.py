"""The table of operations: path, method, handler, and which parameters each takes (§6.3.20: an unknown one is refused)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sanpo.broker.ngsi_ld.negotiation import GEO, JSON, LD, MERGE

if TYPE_CHECKING:
    from sanpo.broker.ngsi_ld.calls import Reply

Handler = Callable[[Any], "Reply"]
"""Takes the `Call` of its own API."""
PLAIN = (JSON, LD)
WITH_GEO = (JSON, LD, GEO)
BODIES = frozenset({JSON, LD})
PATCHES = frozenset({JSON, LD, MERGE})
MAX_BODY_BYTES = 4 * 1024 * 1024
MAX_BATCH_BYTES = 48 * 1024 * 1024


@dataclass(frozen=True)
class Operation:
    """One operation of the API. `bodies` are the media types that it reads, none where it reads no body; `for_all` may be
    called by nobody in particular."""

    method: str
    path: str
    handler: Handler
    clause: str
    parameters: frozenset[str] = frozenset()
    offers: tuple[str, ...] = PLAIN
    bodies: frozenset[str] = frozenset()
    max_body_bytes: int = MAX_BODY_BYTES
    for_all: bool = False


@dataclass
class Table:
    """All operations; `{}` in a path stands for one segment."""

    operations: list[Operation] = field(default_factory=list)
    _by_length: dict[int, list[tuple[tuple[str, ...], dict[str, Operation]]]] = field(default_factory=dict)

    def add(self, operations: Iterable[Operation]) -> None:
        for operation in operations:
            self.operations.append(operation)
            pattern = tuple(operation.path.strip("/").split("/"))
            same = self._by_length.setdefault(len(pattern), [])
            for known, methods in same:
                if known == pattern:
                    methods[operation.method] = operation
                    break
            else:
                same.append((pattern, {operation.method: operation}))
                same.sort(key=lambda each: each[0].count("{}"))  # a fixed word wins over a place

    def find(self, segments: list[str]) -> dict[str, Operation] | None:
        """The operations of a path, by method."""
        for pattern, methods in self._by_length.get(len(segments), ()):
            if all(want == "{}" or want == got for want, got in zip(pattern, segments, strict=True)):
                return methods
        return None


def parameters(*names: str) -> frozenset[str]:
    """Names that an operation takes, with those that every operation takes."""
    return frozenset(names) | {"local", "via"}
