"""The body of a notification (§5.3.1, §6.3.7 to §6.3.9): entities as the subscription asks for them. Pure but for contexts.

What was removed is told as an NGSI-LD Null; with `showChanges` each changed instance also has what it was before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.broker.contexts.context import CORE, Context
from sanpo.broker.language.projection import Projection, omit, parse_projection, pick
from sanpo.broker.model import NULL, VALUE_KEYS, Instance, written
from sanpo.broker.ngsi_ld.linking import Linked, link_header
from sanpo.broker.ngsi_ld.negotiation import GEO, JSON, LD
from sanpo.broker.representation.geojson import collection, feature
from sanpo.broker.representation.writing import Writer, short_time
from sanpo.broker.store import encode
from sanpo.broker.subscriptions.model import Item, Subscription


@dataclass(frozen=True)
class Message:
    """What is sent: a body and the headers that belong to it."""

    body: bytes
    headers: dict[str, str]


def render(
    subscription: Subscription, notification_id: str, shown: Iterable[Item], context: Context, now: datetime
) -> Message:
    """One notification about what of `shown` its owner may see."""
    accept = subscription.endpoint.get("accept", JSON)
    linked = Linked(context, subscription.doc.get("jsonldContext", subscription.context))
    shape = _Shape.of(subscription, context)
    data: Any = [shape.entity(item, as_feature=accept == GEO) for item in shown]
    body: dict[str, Any] = {
        "id": notification_id,
        "type": "Notification",
        "subscriptionId": subscription.subscription_id,
        "notifiedAt": short_time(written(now)),
        "data": collection(data) if accept == GEO else data,
    }
    headers = {"content-type": JSON if accept == GEO else accept}
    if accept == LD:
        body["@context"] = linked.written
    else:
        headers["link"] = link_header(linked).decode("latin-1")
    if subscription.tenant:
        headers["ngsild-tenant"] = subscription.tenant
    return Message(encode(body), headers)


@dataclass(frozen=True)
class _Shape:
    """How one subscription wants entities."""

    writer: Writer
    attributes: frozenset[str] | None
    picked: Projection | None
    omitted: Projection | None
    datasets: frozenset[str] | None
    triggers: frozenset[str]
    shows_changes: bool

    @staticmethod
    def of(subscription: Subscription, context: Context) -> "_Shape":
        asked = subscription.notification
        wanted = asked.get("format", "normalized")
        names, datasets = asked.get("attributes"), subscription.doc.get("datasetId")
        return _Shape(
            Writer(
                context,
                "simplified" if wanted == "keyValues" else wanted,
                asked.get("sysAttrs", False),
                subscription.doc.get("lang"),
            ),
            None if names is None else frozenset(names),
            _projection(asked, "pick"),
            _projection(asked, "omit"),
            None if datasets is None else frozenset(datasets),
            frozenset(subscription.triggers),
            asked.get("showChanges", False),
        )

    def entity(self, item: Item, *, as_feature: bool) -> Any:
        doc, nulls = self._told(item)
        shown = self._projected(doc)
        names = self._projected({**doc, "attrs": nulls})["attrs"]
        found: Any = feature(shown, self.writer, whole=doc) if as_feature else self.writer.entity(shown)
        into = found["properties"] if as_feature else found
        for iri, instances in names.items():
            self._add_nulls(into, iri, instances, item)
        if item.kind == "deleted":
            into["deletedAt"] = short_time(item.at)
        return found

    def _told(self, item: Item) -> tuple[Any, dict[str, list[Instance]]]:
        """The entity, and the instances that are told as removed."""
        if item.kind == "deleted":
            all_of_it = self.shows_changes or "attributeDeleted" in self.triggers
            return {**item.doc, "attrs": {}}, dict(item.doc["attrs"]) if all_of_it else {}
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

    def _projected(self, doc: Any) -> Any:
        attrs = doc["attrs"]
        if self.attributes is not None:
            attrs = {iri: each for iri, each in attrs.items() if iri in self.attributes}
        if self.datasets is not None:
            kept = {
                iri: [one for one in each if one.get("datasetId", "@none") in self.datasets]
                for iri, each in attrs.items()
            }
            attrs = {iri: each for iri, each in kept.items() if each}
        doc = {**doc, "attrs": attrs}
        if self.picked is not None:
            doc = pick(self.picked, doc)
        return doc if self.omitted is None else omit(self.omitted, doc)

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
        found[VALUE_KEYS[old["type"]]] = NULL
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
