"""The temporal query: `timerel`, `timeAt`, `endTimeAt`, `timeproperty` (ETSI GS CIM 009 §4.11). Pure.

Every relation is a half-open span: `before` ends before timeAt, `after` begins at it, `between` begins at timeAt and ends
before endTimeAt.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sanpo.broker.language.condition import Condition, Parameters, all_of
from sanpo.broker.language.moments import Moment, read_moment
from sanpo.broker.language.scanner import Scanner

Relation = Literal["before", "after", "between"]
TimeProperty = Literal["observedAt", "createdAt", "modifiedAt", "deletedAt"]
RELATIONS: tuple[Relation, ...] = get_args(Relation)
TIME_PROPERTIES: tuple[TimeProperty, ...] = get_args(TimeProperty)
_ACCEPTED = "2026-04-01T09:00:00Z"


@dataclass(frozen=True, slots=True)
class TemporalQuery:
    """From `start` (in it) to `end` (not in it), as the canonical form writes times; None is open. Both open: every time."""

    start: str | None = None
    end: str | None = None
    time_property: TimeProperty = "observedAt"


def parse_temporal(
    timerel: str | None, time_at: str | None, end_time_at: str | None = None, time_property: str | None = None
) -> TemporalQuery:
    """Raises `QueryIsMalformed` with the name of the parameter that is missing, needless or not right."""
    found = _one_of(time_property or "observedAt", TIME_PROPERTIES, "timeproperty")
    if timerel is None:
        for name, value in (("timeAt", time_at), ("endTimeAt", end_time_at)):
            if value is not None:
                Scanner("", "timerel").fail(" | ".join(RELATIONS) + f" ({name})")
        return TemporalQuery(time_property=found)
    relation = _one_of(timerel, RELATIONS, "timerel")
    at = _moment(time_at, "timeAt")
    if relation != "between":
        if end_time_at is not None:
            Scanner(end_time_at[:100], "endTimeAt").fail("timerel=between")
        return TemporalQuery(end=at, time_property=found) if relation == "before" else TemporalQuery(at, None, found)
    end = _moment(end_time_at, "endTimeAt")
    if end < at:
        Scanner(end, "endTimeAt").fail(f">= {at}")
    return TemporalQuery(at, end, found)


def _one_of(value: str, accepted: tuple[Any, ...], parameter: str) -> Any:
    if value not in accepted:
        Scanner(value[:100], parameter).fail(" | ".join(accepted))
    return value


def _moment(text: str | None, parameter: str) -> str:
    moment = read_moment(text or "")
    if not isinstance(moment, Moment) or moment.kind != "dateTime":
        Scanner((text or "")[:100], parameter).fail(_ACCEPTED)
    return moment.canonical


def matches_temporal(query: TemporalQuery, instance: Mapping[str, Any]) -> bool:
    """Whether an instance of an attribute lies in the span. One without the time asked about does not."""
    at = instance.get(query.time_property)
    if at is None:
        return False
    return (query.start is None or query.start <= at) and (query.end is None or at < query.end)


def compile_temporal(query: TemporalQuery, parameters: Parameters, *, column: str) -> Condition:
    """Over `column`, the caller's own word for the time asked about, such as `h.at`."""
    conditions = [Condition(f"{column} is not null")]
    if query.start is not None:
        conditions.append(Condition(f"{column} >= {parameters.add(query.start, 'timestamptz')}"))
    if query.end is not None:
        conditions.append(Condition(f"{column} < {parameters.add(query.end, 'timestamptz')}"))
    return all_of(conditions[1:] or conditions)
