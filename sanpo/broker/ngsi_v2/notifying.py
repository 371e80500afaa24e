"""The body of a notification of NGSIv2 ("Notification Messages", "Custom Notifications"), of what its owner may see. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any

from sanpo.broker.model import Instance, default_instance
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_v2.names import iri_of
from sanpo.broker.ngsi_v2.subscribing import ENDPOINTS
from sanpo.broker.ngsi_v2.subscription import Subscription
from sanpo.broker.ngsi_v2.templates import filled, filled_json, filled_payload, filled_url, patched
from sanpo.broker.ngsi_v2.values import type_and_value
from sanpo.broker.ngsi_v2.writing import ALL, Format, Writer, identity_of, service_path_of
from sanpo.broker.store import encode
from sanpo.broker.subscriptions.model import Item
from sanpo.broker.subscriptions.rendering import Message

_FORMATS: dict[str, Format] = {
    "normalized": "normalized",
    "simplifiedNormalized": "normalized",
    "keyValues": "keyValues",
    "simplifiedKeyValues": "keyValues",
    "values": "values",
}


def render(subscription: Subscription, notification_id: str, shown: Sequence[Item]) -> Message:
    """One notification about what of `shown` its owner may see."""
    told = subscription.told
    wanted = told.get("attrsFormat", "normalized")
    kind = next(name for name in ENDPOINTS if name in told)
    headers = {
        "Content-Type": JSON,
        "Ngsiv2-AttrsFormat": wanted,
        "Fiware-Correlator": notification_id.rsplit(":", 1)[-1],
        "Fiware-ServicePath": ",".join(dict.fromkeys(service_path_of(item.doc) for item in shown)),
    }
    if subscription.tenant:
        headers["Fiware-Service"] = subscription.tenant
    entities = [entity_of(subscription, item, _FORMATS[wanted]) for item in shown]
    body: Any = {"subscriptionId": subscription.subscription_id, "data": entities}
    if wanted.startswith("simplified"):
        body = entities[0]
    is_bare = kind.startswith("mqtt")
    if not kind.endswith("Custom"):
        return Message(encode(body), headers, is_bare=is_bare)
    return _custom(subscription, shown[0], told[kind], Message(encode(body), headers, is_bare=is_bare))


def entity_of(subscription: Subscription, item: Item, form: Format) -> Any:
    """One entity, with the attributes and metadata asked for."""
    told = subscription.told
    names = tuple(told.get("attrs", ())) or None
    doc = {**item.doc, "attrs": _attributes(subscription, item)}
    alteration = {"type": "Property", "value": subscription.alteration(item)}
    writer = Writer(form, names, tuple(told.get("metadata", ())) or None)
    found = writer.attributes(doc, {"alterationType": alteration})
    if type(found) is list:
        return found
    if told.get("covered"):
        absent: Any = {"type": "None", "value": None, "metadata": {}} if form == "normalized" else None
        found |= {name: absent for name in names or () if name not in found and name != ALL}
    return {**identity_of(item.doc), **found}


def _attributes(subscription: Subscription, item: Item) -> dict[str, list[Instance]]:
    """The instances of the entity, each with what happened to it."""
    told = subscription.told
    hidden = {iri_of(name) for name in told.get("exceptAttrs", ())}
    written = {*item.added, *item.updated} if item.kind == "updated" else set(item.doc["attrs"])
    changed = subscription.changed(item) if item.kind == "updated" else written
    found = {}
    for iri, instances in item.doc["attrs"].items():
        each = default_instance(instances)
        if each is None or iri in hidden or (told.get("onlyChangedAttrs") and iri not in changed):
            continue
        found[iri] = [{**each, "built_in": _built_in(item, iri)}] if iri in written else [each]
    return found


def _built_in(item: Item, iri: str) -> dict[str, Any]:
    """The metadata that only notifications have."""
    old = default_instance(list(item.before.get(iri, ()))) if item.kind == "updated" else None
    actions = {"deleted": "delete", "created": "append", "updated": "append" if iri in item.added else "update"}
    found: dict[str, Any] = {"actionType": {"type": "Text", "value": actions[item.kind]}}
    if old is not None:
        kind, value = type_and_value(old)
        found["previousValue"] = {"type": kind, "value": value}
    return found


def _custom(subscription: Subscription, item: Item, custom: Mapping[str, Any], plain: Message) -> Message:
    """The notification as its template has it."""
    normalized = entity_of(subscription, item, "normalized")
    values = {
        **{name: each["value"] for name, each in normalized.items() if name not in ("id", "type")},
        **identity_of(item.doc),
        "service": subscription.tenant,
        "servicePath": service_path_of(item.doc),
        "alterationType": subscription.alteration(item),
    }
    body, media_type = plain.body, JSON
    if "payload" in custom:
        media_type = "text/plain; charset=utf-8"
        body = b"" if custom["payload"] is None else filled_payload(custom["payload"], values)
    elif "json" in custom:
        body = encode(filled_json(custom["json"], values))
    elif "ngsi" in custom:
        data = [patched(normalized, custom["ngsi"], values)]
        body = encode({"subscriptionId": subscription.subscription_id, "data": data})
    headers = {**plain.headers, "Content-Type": media_type}
    if "payload" in custom or "json" in custom:
        headers["Ngsiv2-AttrsFormat"] = "custom"
    for name, text in custom.get("headers", {}).items():
        key = filled(name, values)
        headers = {known: each for known, each in headers.items() if known.lower() != key.lower()}
        if text:  # an empty one takes the header away
            headers[key] = _one_line(filled(text, values))
    uri = filled_url(custom["url"], values, custom.get("qs", {}))
    return Message(body, headers, custom.get("method", "POST"), uri, is_bare=plain.is_bare)


def _one_line(text: str) -> str:
    """A value that no header could hold does not become two."""
    return "".join(sign for sign in text if " " <= sign <= "~")
