"""A subscription to registrations of context sources (§5.11): which it is told, and with which of their information. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sanpo.broker.contexts.context import CORE
from sanpo.broker.language.ids import parse_id_pattern
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.temporal import TemporalQuery, parse_temporal
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.registrations.matching import Asked, Conditions, narrowed
from sanpo.broker.registrations.model import registration_of
from sanpo.broker.subscriptions.model import Subscription, geo_of


@dataclass(frozen=True)
class Source:
    """A registration as it was at one moment: its document, and the broker's own times."""

    doc: Mapping[str, Any]
    created_at: datetime
    modified_at: datetime

    def as_json(self) -> dict[str, Any]:
        return {
            "doc": self.doc,
            "created_at": self.created_at.isoformat(),
            "modified_at": self.modified_at.isoformat(),
        }

    @staticmethod
    def of_json(given: Mapping[str, Any]) -> "Source":
        times = (datetime.fromisoformat(given[name]) for name in ("created_at", "modified_at"))
        return Source(given["doc"], *times)


class SourceSubscription(Subscription):
    """One subscription whose `entities` and `watchedAttributes` are compared with what registrations claim (§5.11.7).

    A condition on values (`q`) says nothing about a registration: it is kept and shown.
    """

    @property
    def has_pace(self) -> bool:
        """Whether it is told at moments of its own, not at each change."""
        return bool(self.doc.get("timeInterval") or self.throttling_s)

    @cached_property
    def asked(self) -> tuple[Asked, ...]:
        """What a registration's information must be about: any of these."""
        selectors = zip(self.doc.get("entities", ()), self.selections, strict=True)
        return tuple(_asked(each, selection, self.watched) for each, selection in selectors) or (
            Asked(attributes=self.watched),
        )

    @cached_property
    def conditions(self) -> Conditions:
        """What the registration itself must be."""
        doc = self.doc
        return Conditions(
            times=times_of(doc.get("temporalQ")),
            queries=(parse_q(doc["csf"], CORE),) if "csf" in doc else (),
            scopes=parse_scope_q(doc["scopeQ"]) if "scopeQ" in doc else None,
            place=geo_of(doc.get("geoQ"), CORE),
        )

    def told_of(self, source: Source | None) -> Source | None:
        """What of a source this subscription is told, None where it does not match. What the source is told beside
        requests is for those who may register alone."""
        if source is None:
            return None
        registration = registration_of(source.doc)
        found = narrowed(registration, *self.asked)
        if not found.doc["information"] or not self.conditions.fit(registration):
            return None
        shown = {name: each for name, each in found.doc.items() if name != "contextSourceInfo"}
        return Source(shown, source.created_at, source.modified_at)


def _asked(given: Mapping[str, Any], selection: TypeSelection, attributes: frozenset[str] | None) -> Asked:
    if "id" in given:
        ids = given["id"] if isinstance(given["id"], list) else [given["id"]]
        return Asked(frozenset(ids), selection, attributes)
    pattern = parse_id_pattern(given["idPattern"]) if "idPattern" in given else None
    return Asked(None, selection, attributes, pattern)


def times_of(given: Mapping[str, Any] | None) -> TemporalQuery | None:
    """The TemporalQuery of a document (§5.2.21)."""
    if given is None:
        return None
    return parse_temporal(*(given.get(name) for name in ("timerel", "timeAt", "endTimeAt", "timeproperty")))
