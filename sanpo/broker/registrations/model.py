"""A registration as operations look at it: of which entities and attributes a source holds what, and how it is asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sanpo.broker.contexts.context import CORE
from sanpo.broker.language.ids import parse_id_pattern
from sanpo.broker.language.patterns import Pattern
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.model import written
from sanpo.broker.temporal.durations import parse_duration

Mode = Literal["inclusive", "exclusive", "redirect", "auxiliary"]
MODES = ("inclusive", "exclusive", "redirect", "auxiliary")
PROXIES = ("exclusive", "redirect")
AUXILIARY_OPERATIONS = frozenset({"retrieveOps", "retrieveEntity", "queryEntity"})
_TYPES_AND_ATTRIBUTES = (
    "retrieveEntityTypes", "retrieveEntityTypeDetails", "retrieveEntityTypeInfo", "retrieveAttrTypes",
    "retrieveAttrTypeDetails", "retrieveAttrTypeInfo",
)  # fmt: skip
_SUBSCRIPTIONS = (
    "createSubscription", "updateSubscription", "retrieveSubscription", "querySubscription", "deleteSubscription",
)  # fmt: skip
_SUPPORT = (
    "retrieveEntityMap", "updateEntityMap", "deleteEntityMap", "createEntityMapQueryEntity", "retrieveContextSourceIdentity",
)  # fmt: skip
GROUPS: Mapping[str, frozenset[str]] = {
    "federationOps": frozenset(
        {"retrieveEntity", "queryEntity", "queryBatch", *_TYPES_AND_ATTRIBUTES, *_SUBSCRIPTIONS, *_SUPPORT}
    ),
    "associationOps": frozenset(
        {
            "retrieveEntity", "queryEntity", "queryBatch", *_TYPES_AND_ATTRIBUTES, *_SUBSCRIPTIONS,
            "retrieveContextSourceIdentity",
        }
    ),
    "updateOps": frozenset({"updateEntity", "updateAttrs", "replaceEntity", "replaceAttrs"}),
    "retrieveOps": frozenset({"retrieveEntity", "queryEntity"}),
    "redirectionOps": frozenset(
        {
            "createEntity", "updateEntity", "appendAttrs", "updateAttrs", "deleteAttrs", "deleteEntity", "mergeEntity",
            "replaceEntity", "replaceAttrs", "purgeEntity", "createBatch", "upsertBatch", "updateBatch", "deleteBatch",
            "mergeBatch", "retrieveEntity", "queryEntity", "queryBatch", *_TYPES_AND_ATTRIBUTES, *_SUPPORT,
        }
    ),
}  # fmt: skip
"""Table 4.20-2: groups of operations by name. `redirectionOps` has the batches too, which it does not name: sources of
that group are asked so by the conformance tests."""
OPERATIONS = frozenset.union(*GROUPS.values()) | {
    "upsertTemporal", "appendAttrsTemporal", "deleteAttrsTemporal", "updateAttrsTemporal", "updateAttrInstanceTemporal",
    "deleteAttrInstanceTemporal", "deleteTemporal", "retrieveTemporal", "queryTemporal", "createEntityMapQueryTemporal",
}  # fmt: skip
_ASKED = ("registrationName", "description", "endpoint", "mode", "tenant", "contextSourceAlias", "refreshRate")
_PLACES = ("location", "observationSpace", "operationSpace")
DEFAULT_TIMEOUT_MS = 3_000
MOST_TIMEOUT_MS = 10_000


@dataclass(frozen=True)
class Selector:
    """Entities of a type; of one id, or of ids in which a pattern is found, where either is given."""

    type: str
    id: str | None = None
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Information:
    """What a source holds: entities (none named: any) and attributes of them (None: all)."""

    selectors: tuple[Selector, ...]
    attributes: frozenset[str] | None


@dataclass(frozen=True)
class Registration:
    """One registration, read out of its stored document."""

    registration_id: str
    doc: Mapping[str, Any]
    information: tuple[Information, ...]

    @property
    def mode(self) -> str:
        return str(self.doc.get("mode", "inclusive"))

    @property
    def is_proxy(self) -> bool:
        """Whether what it names is held there and not here (§4.3.6.3)."""
        return self.mode in PROXIES

    @property
    def endpoint(self) -> str:
        return str(self.doc["endpoint"]).rstrip("/")

    @property
    def timeout_s(self) -> float:
        return float(self.doc.get("management", {}).get("timeout", DEFAULT_TIMEOUT_MS)) / 1000

    @property
    def cooldown_s(self) -> float:
        return float(self.doc.get("management", {}).get("cooldown", 0)) / 1000

    @property
    def cache_s(self) -> float:
        """For how long its answers are good enough (§5.2.34); a month counts 30 days."""
        given = self.doc.get("management", {}).get("cacheDuration")
        if given is None:
            return 0.0
        duration = parse_duration(given)
        return duration.rest.total_seconds() + 30 * 86_400 * duration.months

    @property
    def is_local_only(self) -> bool:
        return bool(self.doc.get("localOnly") or self.doc.get("management", {}).get("localOnly"))

    def serves(self, operation: str) -> bool:
        given = self.doc.get("operations", ["federationOps"])
        if operation == "updateAttrInstanceTemporal" and "updateAttrsTemporal" in given:  # its other name
            return True
        return any(operation == each or operation in GROUPS.get(each, ()) for each in given)

    def as_entity(self) -> Mapping[str, Any]:
        """What can be asked of it in the shape of an entity, for the query languages (§5.10.2)."""
        given = {CORE.expand(name): self.doc[name] for name in _ASKED if name in self.doc}
        given |= self.doc.get("properties", {})
        attrs = {iri: [{"type": "Property", "value": value}] for iri, value in given.items()}
        for name in _PLACES:
            if name in self.doc:
                attrs[CORE.expand(name)] = [{"type": "GeoProperty", "value": self.doc[name]}]
        return {"id": self.registration_id, "type": [], "scope": self.doc.get("scope", []), "attrs": attrs}

    def remembers(self, times: TemporalQuery | None) -> bool:
        """Whether its source may have a history of these times: where it does not say of which it has, it may."""
        says = {"observationInterval", "managementInterval"} & self.doc.keys()
        return not says or times is None or self.covers(times)

    def covers(self, times: TemporalQuery | None) -> bool:
        """Whether its source has information of these times; where none are asked for, the latest (§5.10.2.4)."""
        if times is None:
            return "observationInterval" not in self.doc and "managementInterval" not in self.doc
        interval = self.doc.get("observationInterval" if times.time_property == "observedAt" else "managementInterval")
        if interval is None:
            return False
        start, end = (_canonical(interval.get(name)) for name in ("startAt", "endAt"))
        return (times.end is None or start < times.end) and (end == "" or times.start is None or times.start <= end)


def _canonical(given: str | None) -> str:
    return "" if given is None else written(datetime.fromisoformat(given))


def registration_of(doc: Mapping[str, Any]) -> Registration:
    """The registration of a document that was checked."""
    return Registration(doc["id"], doc, tuple(map(_information, doc["information"])))


def _information(given: Mapping[str, Any]) -> Information:
    selectors = tuple(
        Selector(
            each["type"],
            each.get("id"),
            parse_id_pattern(each["idPattern"]) if "idPattern" in each else None,
        )
        for each in given.get("entities", ())
    )
    names = [*given.get("propertyNames", ()), *given.get("relationshipNames", ())]
    return Information(selectors, frozenset(names) if names else None)
