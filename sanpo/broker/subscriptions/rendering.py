"""The body of a notification (§5.3.1, §6.3.7 to §6.3.9): entities as the subscription asks for them. Pure but for contexts.

What was removed is told as an NGSI-LD Null; with `showChanges` each changed instance also has what it was before.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sanpo.broker.contexts.context import CORE, Context
from sanpo.broker.entities import Place
from sanpo.broker.joining import find_linked
from sanpo.broker.language.projection import Projection, parse_projection
from sanpo.broker.model import NULL, VALUE_KEYS, Instance, null_of, written
from sanpo.broker.ngsi_ld.joined import Joined
from sanpo.broker.ngsi_ld.linking import Linked, link_header
from sanpo.broker.ngsi_ld.negotiation import GEO, JSON, LD
from sanpo.broker.ngsi_ld.shaping import Shape
from sanpo.broker.registrations.reading import public as public_registration
from sanpo.broker.representation.geojson import collection, feature
from sanpo.broker.representation.writing import Writer, short_time
from sanpo.broker.store import decode, encode
from sanpo.broker.subscriptions.model import Item, Subscription
from sanpo.broker.subscriptions.sources import Source, SourceSubscription
from sanpo.ground.city import City


@dataclass(frozen=True)
class Message:
    """What is sent: a body and the headers that belong to it; by NGSIv2 also how, whereto, and over MQTT bare."""

    body: bytes
    headers: dict[str, str]
    method: str = "POST"
    uri: str | None = None
    is_bare: bool = False


def render(
    place: Place,
    subscription: Subscription,
    notification_id: str,
    shown: Sequence[Item],
    context: Context,
) -> Message:
    """One notification about what of `shown` its owner may see. Linked entities are read as the owner sees them now."""
    accept = subscription.endpoint.get("accept", JSON)
    linked = Linked(context, subscription.doc.get("jsonldContext", subscription.context))
    shape = _Shape.of(subscription, context)
    joined = _joined(place, subscription, shape, shown) if accept != GEO else None
    data: Any = [shape.entity(item, joined, as_feature=accept == GEO) for item in shown]
    if joined is not None and subscription.notification["join"] == "flat":
        there = {item.doc["id"] for item in shown}
        left = [item.doc for item in shown if item.kind != "deleted"]
        data += [each for each in joined.flat(left) if each.get("id") not in there]
    body: dict[str, Any] = {
        "id": notification_id,
        "type": "Notification",
        "subscriptionId": subscription.subscription_id,
        "notifiedAt": short_time(place.now()),
        "data": collection(data) if accept == GEO else data,
    }
    return _message(subscription, body, data, linked)


def render_sources(city: City, subscription: SourceSubscription, row: Any, context: Context) -> Message:
    """One notification about registrations (§5.3.2)."""
    linked = Linked(context, subscription.doc.get("jsonldContext", subscription.context))
    now, system = city.now(), subscription.notification.get("sysAttrs", False)
    sources = [Source.of_json(each) for each in decode(row.items)]
    data = [public_registration(each, each.doc, context, now, system=system) for each in sources]
    body = {
        "id": row.notification_id,
        "type": "ContextSourceNotification",
        "subscriptionId": subscription.subscription_id,
        "notifiedAt": short_time(written(now)),
        "triggerReason": row.trigger_reason,
        "data": data,
    }
    return _message(subscription, body, data, linked)


def _message(subscription: Subscription, body: dict[str, Any], data: list[Any], linked: Linked) -> Message:
    """The body with its context, in it or in the Link header (§6.3.5)."""
    accept = subscription.endpoint.get("accept", JSON)
    headers = {"Content-Type": JSON if accept == GEO else accept}
    if accept == LD:
        body["@context"] = linked.written
        body["data"] = [{**each, "@context": linked.written} for each in data]
    else:
        headers["Link"] = link_header(linked).decode("latin-1")
    if subscription.tenant:
        headers["NGSILD-Tenant"] = subscription.tenant
    return Message(encode(body), headers)


def _joined(place: Place, subscription: Subscription, shape: "_Shape", shown: Sequence[Item]) -> Joined | None:
    """The entities that those are linked to (§4.5.23), where they are asked for."""
    if subscription.notification.get("join", "@none") == "@none":
        return None
    level = int(subscription.notification.get("joinLevel", 1))
    docs = [shape.base.projected(item.doc) for item in shown if item.kind != "deleted"]
    return Joined(shape.base, find_linked(place, docs, level), level)


@dataclass(frozen=True)
class _Shape:
    """How one subscription wants entities, and which of its changes it wants to see in them."""

    base: Shape
    triggers: frozenset[str]
    shows_changes: bool
    is_inline: bool
    watched: frozenset[str] | None

    @staticmethod
    def of(subscription: Subscription, context: Context) -> "_Shape":
        asked = subscription.notification
        wanted = asked.get("format", "normalized")
        names, datasets = asked.get("attributes"), subscription.doc.get("datasetId")
        writer = Writer(
            context,
            "simplified" if wanted == "keyValues" else wanted,
            asked.get("sysAttrs", False),
            subscription.doc.get("lang"),
        )
        base = Shape(
            writer,
            None,
            None if names is None else frozenset(names),
            None if datasets is None else frozenset(None if each == "@none" else each for each in datasets),
            _projection(asked, "pick"),
            _projection(asked, "omit"),
        )
        triggers = frozenset(subscription.triggers)
        return _Shape(
            base, triggers, asked.get("showChanges", False), asked.get("join") == "inline", subscription.watched
        )

    @property
    def writer(self) -> Writer:
        return self.base.writer

    def entity(self, item: Item, joined: Joined | None, *, as_feature: bool) -> Any:
        doc, nulls = self._told(item)
        shown = self.base.projected(doc)
        names = self.base.projected({**doc, "attrs": nulls})["attrs"]
        if joined is not None and self.is_inline and item.kind != "deleted":
            found: Any = joined.inline(doc)
        else:
            found = feature(shown, self.writer, whole=doc) if as_feature else self.writer.entity(shown)
        into = found["properties"] if as_feature else found
        for iri, instances in names.items():
            self._add_nulls(into, iri, instances, item)
        if item.kind == "deleted":
            into["deletedAt"] = short_time(item.at)
        return found

    def _told(self, item: Item) -> tuple[Any, dict[str, list[Instance]]]:
        """The entity, and the instances that are told as removed."""
        if item.kind == "deleted":
            if not self.shows_changes and "attributeDeleted" not in self.triggers:
                return {**item.doc, "attrs": {}}, {}
            gone = item.doc["attrs"].items()
            return {**item.doc, "attrs": {}}, {
                iri: found for iri, found in gone if self.watched is None or iri in self.watched
            }
        nulls: dict[str, list[Instance]] = {}
        if not self.triggers.isdisjoint(("attributeDeleted", "entityUpdated")):
            nulls = {iri: list(item.before[iri]) for iri in item.removed if iri in item.before} | item.gone
        return self._with_previous(item) if self.shows_changes else item.doc, nulls

    def _with_previous(self, item: Item) -> Any:
        attrs = dict(item.doc["attrs"])
        for iri in item.updated:
            old = {each.get("datasetId"): each for each in item.before.get(iri, ())}
            attrs[iri] = [self._changed(each, old.get(each.get("datasetId"))) for each in attrs.get(iri, ())]
        return {**item.doc, "attrs": attrs}

    def _changed(self, instance: Instance, old: Instance | None) -> Instance:
        return instance if old is None or old == instance else {**instance, **self._previous(old)}

    def _previous(self, old: Instance) -> Instance:
        key = VALUE_KEYS[old["type"]]
        value = self.writer._compacted(old["type"], old[key])  # the writer's own rule for values
        if old["type"] == "ListRelationship":
            value = [{"object": each} for each in value]
        return {"previous" + key[0].upper() + key[1:]: value}

    def _add_nulls(self, into: dict[str, Any], iri: str, instances: list[Instance], item: Item) -> None:
        """The removed instances of one attribute, beside those that are left; without any left one null stands for all."""
        name = self.writer.context.compact(iri)
        left = into.get(name)
        if left is None:
            first = next((each for each in instances if "datasetId" not in each), instances[0])
            whole = first if len(instances) == 1 else {key: each for key, each in first.items() if key != "datasetId"}
            into[name] = self._null(whole, item)
        elif self.writer.format == "simplified":
            if isinstance(left, dict) and "dataset" in left:
                left["dataset"].update({each.get("datasetId", "@none"): NULL for each in instances})
        else:
            into[name] = [
                *(left if isinstance(left, list) else [left]),
                *(self._null(each, item) for each in instances),
            ]

    def _null(self, old: Instance, item: Item) -> Any:
        if self.writer.format == "simplified":
            return NULL
        found: dict[str, Any] = {} if self.writer.format == "concise" else {"type": old["type"]}
        found |= null_of(old["type"])
        if "datasetId" in old:
            found["datasetId"] = old["datasetId"]
        if self.shows_changes:
            found |= self._previous(old)
        if self.writer.system:
            found |= {key: short_time(old[key]) for key in ("createdAt", "modifiedAt") if key in old}
            found["deletedAt"] = short_time(item.at)
        return found


def _projection(asked: Mapping[str, Any], name: str) -> Projection | None:
    return parse_projection(asked[name], CORE) if name in asked else None
