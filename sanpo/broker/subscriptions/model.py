"""A subscription as the broker works with it, and when a change is worth a notification. Pure.

The stored document has expanded names: queries are kept as text that the core context reads back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Literal

from sanpo.broker.contexts.context import CORE
from sanpo.broker.language.geo import GeoQuery, parse_geo
from sanpo.broker.language.ids import parse_id_pattern
from sanpo.broker.language.q.matching import Resolver, matches_q
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.type_selection import TypeSelection, parse_types
from sanpo.broker.selection import AnyOf, Geo, IdPattern, Ids, OfType, Part, Q, ScopeQ, together
from sanpo.ground.actors import Actor, Client, System

Kind = Literal["entities", "sources"]
"""What a subscription is about: entities (§5.8), or registrations of context sources (§5.11)."""
TRIGGERS = (
    "entityCreated", "entityUpdated", "entityDeleted", "attributeCreated", "attributeUpdated", "attributeDeleted",
)  # fmt: skip
DEFAULT_TRIGGERS = ("attributeCreated", "attributeUpdated")
OPEN = System("broker_open")
MOST_ITEMS = 100


@dataclass(frozen=True)
class Item:
    """One change: the entity as it was left (as it was before, where it was deleted) and what changed, by IRI.

    `before` holds the instances that were replaced or removed; `subjects` is None for a public entity.
    """

    entity_no: int
    kind: str
    doc: Any
    before: Mapping[str, Any]
    added: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]
    subjects: tuple[int, ...] | None
    at: str

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    @staticmethod
    def of_json(given: Mapping[str, Any]) -> "Item":
        lists = {name: tuple(given[name]) for name in ("added", "updated", "removed")}
        subjects = None if given["subjects"] is None else tuple(given["subjects"])
        return Item(**{**given, **lists, "subjects": subjects})

    @cached_property
    def gone(self) -> dict[str, list[Any]]:
        """Instances that were removed from attributes that stay."""
        found = {}
        for iri in self.updated:
            left = {each.get("datasetId") for each in self.doc["attrs"].get(iri, ())}
            lost = [each for each in self.before.get(iri, ()) if each.get("datasetId") not in left]
            if lost:
                found[iri] = lost
        return found

    @cached_property
    def fired(self) -> dict[str, frozenset[str]]:
        """By trigger (§5.2.12), the attributes that it is about."""
        everything = frozenset(self.doc["attrs"])
        if self.kind == "deleted":
            return {"entityDeleted": everything, "attributeDeleted": everything}
        if self.kind == "created":
            return {"entityCreated": everything, "attributeCreated": everything}
        deleted = frozenset(self.removed) | self.gone.keys()
        changed = frozenset(iri for iri in self.updated if self._is_written(iri))
        return {
            "entityUpdated": frozenset(self.added) | changed | deleted,
            "attributeCreated": frozenset(self.added),
            "attributeUpdated": changed,
            "attributeDeleted": deleted,
        }

    def _is_written(self, iri: str) -> bool:
        before = self.before.get(iri, ())
        return iri not in self.gone or any(each not in before for each in self.doc["attrs"][iri])

    def followed_by(self, later: "Item") -> "Item":
        """Both changes of one entity as one, for who is told less often than it changes."""
        before = {**later.before, **self.before} if self.kind == "updated" else {}
        added = tuple(dict.fromkeys((*self.added, *later.added)))
        updated = tuple(iri for iri in dict.fromkeys((*self.updated, *later.updated)) if iri not in added)
        kind = "created" if (self.kind, later.kind) == ("created", "updated") else later.kind
        if later.kind == "deleted":
            return later
        return Item(later.entity_no, kind, later.doc, before, added, updated, later.removed, later.subjects, later.at)


@dataclass(frozen=True)
class Owner:
    """Whose a subscription is: a program with the agreement that its token named, or the city; and of which kind."""

    key: str
    organisation_no: int | None = None
    organisation_id: str | None = None
    client_id: str | None = None
    agreement_id: str | None = None
    kind: Kind = "entities"

    @property
    def where(self) -> dict[str, str]:
        """Among which subscriptions an operation looks."""
        return {"owner": self.key, "kind": self.kind}

    @property
    def actor(self) -> Actor:
        """As whom notifications are made: the sight of the owner when they are sent."""
        if self.client_id is None or self.organisation_id is None or self.organisation_no is None:
            return OPEN
        return Client(self.client_id, self.organisation_id, self.organisation_no, self.agreement_id)


@dataclass(frozen=True)
class Subscription:
    """One subscription. `doc` is canonical (reading.py), `context` what notifications are written with."""

    subscription_no: int
    tenant_no: int
    tenant: str
    subscription_id: str
    owner: Owner
    doc: Mapping[str, Any]
    context: Any
    is_active: bool
    expires_at: datetime | None

    @property
    def notification(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.doc["notification"]
        return found

    @property
    def endpoint(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.notification["endpoint"]
        return found

    @property
    def most_items(self) -> int:
        """How many changes one notification tells at the most."""
        return MOST_ITEMS

    @property
    def throttling_s(self) -> float:
        return float(self.doc.get("throttling", 0))

    def is_on(self, now: datetime) -> bool:
        return self.is_active and (self.expires_at is None or self.expires_at > now)

    @cached_property
    def triggers(self) -> tuple[str, ...]:
        return tuple(self.doc.get("notificationTrigger", DEFAULT_TRIGGERS))

    @cached_property
    def watched(self) -> frozenset[str] | None:
        names = self.doc.get("watchedAttributes")
        return None if names is None else frozenset(names)

    @cached_property
    def selections(self) -> tuple[TypeSelection, ...]:
        return tuple(parse_types(each["type"], CORE) for each in self.doc.get("entities", ()))

    @cached_property
    def parts(self) -> list[Part]:
        """What an entity must be, as for a query."""
        doc = self.doc
        parts: list[Part] = []
        if doc.get("entities"):
            selectors = zip(doc["entities"], self.selections, strict=True)
            parts.append(AnyOf(tuple(_selector(each, selection) for each, selection in selectors)))
        if "q" in doc:
            parts.append(Q(parse_q(doc["q"], CORE)))
        if "scopeQ" in doc:
            parts.append(ScopeQ(parse_scope_q(doc["scopeQ"])))
        geo = geo_of(doc.get("geoQ"), CORE)
        return parts if geo is None else [*parts, Geo(geo)]

    def may_fit(self, item: Item) -> bool:
        """Whether it is about entities of these types: all that can be said before it is known what is in sight."""
        types = item.doc["type"]
        return not self.selections or any(
            all(iri in types for iri in choice) for selection in self.selections for choice in selection.choices
        )

    def is_fired_by(self, item: Item) -> bool:
        """Whether this change is one to tell (§5.8.6)."""
        for trigger in self.triggers:
            about = item.fired.get(trigger)
            if about is None:
                continue
            if self.watched is None:
                if trigger.startswith("entity") or about:
                    return True
            elif about & self.watched:
                return True
        return False

    def fits(self, item: Item, resolver: Resolver | None = None) -> bool:
        """`resolver` finds the entities that a condition on linked ones is about (§4.9)."""
        return self.is_fired_by(item) and all(
            matches_q(part.query, item.doc, resolver) if isinstance(part, Q) else part.matches(item.doc)
            for part in self.parts
        )


def _selector(given: Mapping[str, Any], selection: TypeSelection) -> Part:
    parts: list[Part] = [OfType(selection)]
    if "id" in given:
        ids = given["id"]
        parts.append(Ids(frozenset(ids if isinstance(ids, list) else [ids])))
    elif "idPattern" in given:
        parts.append(IdPattern(parse_id_pattern(given["idPattern"])))
    return together(parts)


def geo_of(given: Mapping[str, Any] | None, names: Any) -> GeoQuery | None:
    """The GeoQuery of a document (§5.2.13)."""
    if given is None:
        return None
    return parse_geo(
        given.get("georel"),
        given.get("geometry"),
        given.get("coordinates"),
        names,
        geoproperty=given.get("geoproperty"),
    )
