"""What a history is made of: whose it is, which part is asked for, and its rows as instances of attributes. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from sanpo.broker.language.scopes import ScopeQuery
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.model import Attributes, Instance, null_of, written
from sanpo.broker.temporal.durations import Duration

INSTANCE = "urn:ngsi-ld:Instance:"
METHODS = ("totalCount", "distinctCount", "sum", "avg", "min", "max", "stddev", "sumsq")
_EXACT = 2**53
decode = msgspec.json.Decoder().decode


@dataclass(frozen=True)
class Chronicle:
    """Whose history it is: the entity as it is now or was last."""

    entity_no: int
    entity_id: str
    types: Sequence[str]
    scopes: Sequence[str] | None
    subjects: tuple[int, ...] | None
    created_at: datetime
    modified_at: datetime
    deleted_at: datetime | None

    @property
    def doc(self) -> Any:
        """The canonical form without attributes."""
        found: dict[str, Any] = {"id": self.entity_id, "type": list(self.types)}
        if self.scopes:
            found["scope"] = list(self.scopes)
        found |= {"createdAt": written(self.created_at), "modifiedAt": written(self.modified_at)}
        if self.deleted_at is not None:
            found["deletedAt"] = written(self.deleted_at)
        return {**found, "attrs": {}}


@dataclass(frozen=True)
class Span:
    """Which instances: in a time (§4.11), of some attributes, the last ones, while a scope held (§4.18, §5.7.4.4).

    Without a time, every one that there is.
    """

    time: TemporalQuery | None = None
    last_n: int | None = None
    attributes: frozenset[str] | None = None
    scopes: ScopeQuery | None = None


@dataclass(frozen=True)
class Aggregation:
    """What is computed for each period (§4.5.19)."""

    methods: tuple[str, ...]
    period: Duration


@dataclass(frozen=True)
class Cut:
    """The part of the span that an answer holds, where it does not hold all (§6.3.10)."""

    start: datetime
    end: datetime
    size: int | None = None


@dataclass(frozen=True)
class Evolutions:
    """Part of what was found, as entities in canonical form whose attributes hold all their instances."""

    docs: Sequence[Any]
    more: bool = False
    count: int | None = None
    cut: Cut | None = None


def instance_of(row: Any) -> Instance:
    """A row as an instance of its attribute."""
    if row.removed:
        kind = "Property" if row.instance is None else decode(row.instance)["type"]
        found: Instance = {"type": kind, **null_of(kind), "deletedAt": written(row.at)}
        if row.dataset_id is not None:
            found["datasetId"] = row.dataset_id
    else:
        found = decode(row.instance) if row.instance is not None else _plain(row)
        found["createdAt"] = _written(row.created_at or row.modified_at)
        found["modifiedAt"] = _written(row.modified_at)
    found["instanceId"] = f"{INSTANCE}{row.observation_no}"
    return found


_written = lru_cache(maxsize=4096)(written)
"""What came in together has one time."""


def _plain(row: Any) -> Instance:
    number: float = row.number
    whole = number.is_integer() and abs(number) < _EXACT
    found: Instance = {"type": "Property", "value": int(number) if whole else number}
    if row.observed:
        found["observedAt"] = short(row.at)
    if row.unit is not None:
        found["unitCode"] = row.unit
    if row.dataset_id is not None:
        found["datasetId"] = row.dataset_id
    return found


def short(moment: datetime) -> str:
    """A moment without more zeros than it needs."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_of(instance: Mapping[str, Any], time: TemporalQuery | None) -> str | None:
    """When an instance was, by the time that is asked about."""
    if time is not None:
        found: str | None = instance.get(time.time_property)
        return found
    return instance.get("observedAt") or instance.get("deletedAt") or instance.get("modifiedAt")


def number_of(instance_id: str) -> int | None:
    """The row that an instance's name stands for."""
    text = instance_id.removeprefix(INSTANCE)
    return int(text) if text != instance_id and text.isascii() and text.isdigit() and len(text) < 19 else None


def in_order(attrs: Attributes, time: TemporalQuery | None) -> Attributes:
    """Each attribute's instances by time."""
    return {iri: sorted(found, key=lambda each: moment_of(each, time) or "") for iri, found in attrs.items()}
