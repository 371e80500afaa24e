"""From the words of a temporal request to what it asks, and from what was found to what is sent (§4.5.6 to §4.5.19)."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any, Literal

from sanpo.broker.changing import SCOPE, scope_instance
from sanpo.broker.errors import EntityIsInvalid, FormatIsUnknown, ParameterIsInvalid
from sanpo.broker.language.projection import parse_attrs
from sanpo.broker.language.temporal import TemporalQuery, parse_temporal
from sanpo.broker.model import NULL, VALUE_KEYS, Attributes, Instance, null_of
from sanpo.broker.ngsi_ld.calls import Call, Headers
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.shaping import Shape, shape_of
from sanpo.broker.representation.checks import check_scopes, check_time
from sanpo.broker.representation.reading import Fragment, Nulls, Reader
from sanpo.broker.representation.writing import short_time
from sanpo.broker.temporal.durations import parse_duration
from sanpo.broker.temporal.model import METHODS, Aggregation, Cut, Span, moment_of, short

Form = Literal["instances", "values", "aggregates"]
MAX_LAST_N = 1_000_000
_FORMS: dict[str, Form] = {
    "temporalValues": "values",
    "simplified": "values",
    "keyValues": "values",
    "aggregatedValues": "aggregates",
}
_HEAD = frozenset(
    {"id", "@id", "type", "@type", "scope", "@context", "expiresAt", "createdAt", "modifiedAt", "deletedAt"}
)
_NULLS = (NULL, {"@none": NULL})
_OF_DELETED = frozenset(
    {*VALUE_KEYS.values(), "type", "@type", "observedAt", "datasetId"}
    | {"createdAt", "modifiedAt", "deletedAt", "instanceId"}
)
_OF_SCOPE = frozenset({"type", "value", "observedAt", "createdAt", "modifiedAt", "instanceId"})
_QUERY = ("timerel", "timeAt", "endTimeAt", "timeproperty")
_AGGREGATION = ("aggrMethods", "aggrPeriodDuration")
_MEMBERS = {"temporalQ": (*_QUERY, "lastN", *_AGGREGATION), "aggrParams": _AGGREGATION}


def form_of(call: Call) -> Form:
    """Which temporal representation is asked for, by `format` or `options`."""
    given, words = call.query.get("format"), call.options
    if given is not None:
        if given not in (*_FORMS, "normalized", "concise"):
            raise FormatIsUnknown(name="format", given=given, accepted=f"normalized, concise, {', '.join(_FORMS)}")
        return _FORMS.get(given, "instances")
    return next((form for word, form in _FORMS.items() if word in words), "instances")


def split(data: Any) -> tuple[dict[str, Any], Any]:
    """What of the body of a query is about time, and the query without it."""
    if type(data) is not dict:
        return {}, data
    temporal = {name: member for name, member in data.items() if name in _MEMBERS}
    return temporal, {name: member for name, member in data.items() if name not in _MEMBERS}


def temporal_values(data: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """The members of a temporal query (§5.2.21) and of aggregation parameters in a body, as texts beside the others."""
    found = dict(values)
    for name, members in _MEMBERS.items():
        given = data.get(name)
        if given is None:
            continue
        if type(given) is not dict or not given.keys() <= {*members, "type"}:
            raise EntityIsInvalid(where=name, problem=f"is no object of {', '.join(members)}")
        for member in members:
            if member in given:
                text = given[member]
                found[member] = ",".join(map(str, text)) if type(text) is list else str(text)
    return found


def span_of(values: Mapping[str, str], linked: Linked, *, needed: bool) -> Span:
    """The span that is asked for. A query needs one (§5.7.4.4); without, a retrieval is of everything."""
    if needed and not values.get("timerel"):
        raise ParameterIsInvalid(name="timerel", problem="is missing")
    time: TemporalQuery | None = None
    if any(name in values for name in _QUERY):
        time = parse_temporal(*(values.get(name) for name in ("timerel", "timeAt", "endTimeAt", "timeproperty")))
    attrs = values.get("attrs")
    names = frozenset(parse_attrs(attrs, linked.context)) if attrs else None
    return Span(time, _last_n(values.get("lastN")), names)


def _last_n(given: str | None) -> int | None:
    if given is None:
        return None
    if not given.isascii() or not given.isdigit() or not 1 <= int(given[:9]) <= MAX_LAST_N or len(given) > 9:
        raise ParameterIsInvalid(name="lastN", problem=f"is no whole number from 1 to {MAX_LAST_N}")
    return int(given)


def aggregation_of(values: Mapping[str, str]) -> Aggregation:
    """Raises `ParameterIsInvalid`."""
    methods = tuple(dict.fromkeys(each.strip() for each in values.get("aggrMethods", "").split(",") if each.strip()))
    if not methods or not set(methods) <= set(METHODS):
        raise ParameterIsInvalid(name="aggrMethods", problem=f"is no list of {', '.join(METHODS)}")
    if "lastN" in values:
        raise ParameterIsInvalid(name="lastN", problem="cannot stand beside aggregatedValues")
    return Aggregation(methods, parse_duration(values.get("aggrPeriodDuration", "PT0S")))


@dataclass(frozen=True)
class Told:
    """How one answer shows evolutions."""

    form: Form
    shape: Shape
    time: TemporalQuery | None

    def of(self, doc: Any) -> Any:
        """A temporal representation: every attribute is an array."""
        shown = self.shape.projected(doc)
        writer = self.shape.writer
        found = writer.entity({**shown, "attrs": {}})
        if writer.system and "deletedAt" in shown:
            found["deletedAt"] = short_time(shown["deletedAt"])
        for iri, instances in shown["attrs"].items():
            found[writer.context.compact(iri)] = self._attribute(instances)
        return found

    def _attribute(self, instances: list[Instance]) -> Any:
        if self.form == "instances":
            return [self._instance(each) for each in instances]
        if self.form == "aggregates":
            return instances[0] if len(instances) == 1 else instances
        found = self._values(instances)
        return found[0] if len(found) == 1 else found

    def _instance(self, instance: Instance) -> Any:
        found = self.shape.writer.instance(instance)
        if isinstance(found, dict) and "deletedAt" in found:
            found["deletedAt"] = short_time(found["deletedAt"])
        return found

    def _values(self, instances: list[Instance]) -> list[Any]:
        """The simplified form (§4.5.9): one object for each dataset and type, with pairs of a value and a time."""
        found: dict[tuple[str | None, str], Any] = {}
        writer = replace(self.shape.writer, lang=None)
        for each in instances:
            kind, dataset = each["type"], each.get("datasetId")
            one = found.get((dataset, kind))
            if one is None:
                one = found[dataset, kind] = {"type": kind} | ({} if dataset is None else {"datasetId": dataset})
            moment = moment_of(each, self.time) or ""
            one.setdefault(f"{VALUE_KEYS[kind]}s", []).append([writer.value(each), short_time(moment)])
        return list(found.values())


def told_of(call: Call, values: Mapping[str, str], linked: Linked, span: Span) -> Told:
    """How the answer shows what is found. Methods of aggregation in a body ask for aggregates by themselves (§5.2.44)."""
    form = "aggregates" if "aggrMethods" in values and "aggrMethods" not in call.query else form_of(call)
    plain = call
    if form != "instances":
        plain = replace(
            call, query={name: text for name, text in call.query.items() if name not in ("format", "options")}
        )
        plain.options = call.options & {"sysAttrs"}
    return Told(form, shape_of(plain, values, linked), span.time)


def range_of(cut: Cut | None) -> Headers:
    """Which part of the span an answer with status 206 holds (§6.3.10)."""
    if cut is None:
        return []
    start, end = (short(each.astimezone(UTC)).removesuffix("Z") for each in (cut.start, cut.end))
    return [(b"content-range", f"date-time {start}-{end}/{cut.size or '*'}".encode())]


def temporal_fragment(reader: Reader, data: Any) -> Fragment:
    """An EntityTemporal or a part of one (§5.2.20): an attribute is one instance or an array of them, in any number."""
    if type(data) is not dict:
        raise EntityIsInvalid(where="entity", problem="is no JSON object")
    found = reader.fragment({term: value for term, value in data.items() if term in _HEAD - {"scope"}})
    if "scope" in data:
        found["attrs"][SCOPE] = _scopes(data["scope"], reader.now)
        last = max(found["attrs"][SCOPE], key=lambda each: str(each.get("observedAt", reader.now)))["value"]
        found["scope"] = last if type(last) is list else [last]
    for term, given in data.items():
        if term in _HEAD:
            continue
        several = type(given) is list and all(type(each) is dict for each in given)
        for each in given if several else [given]:
            for iri, instances in _told(reader, term, each).items():
                found["attrs"].setdefault(iri, []).extend(instances)
    return found


def _scopes(given: Any, now: str) -> list[Instance]:
    """The history of a scope: instances of a Property (§4.5.6), or a scope that is valid from now on."""
    several = given if type(given) is list and given and all(type(each) is dict for each in given) else [given]
    found = []
    for each in several:
        if type(each) is not dict:
            found.append(scope_instance(check_scopes(each), now))
            continue
        if each.get("type", "Property") != "Property" or not each.keys() <= _OF_SCOPE:
            raise EntityIsInvalid(where="scope", problem="is no Property with a value and a time alone")
        moment = check_time(each.get("observedAt", now), "scope.observedAt")
        found.append({**scope_instance(check_scopes(each.get("value")), now), "observedAt": moment})
    return found


def _told(reader: Reader, term: str, given: Any) -> Attributes:
    """One instance. Its value may be the NGSI-LD Null: the attribute was deleted then (§4.5.7, §5.5.4)."""
    if type(given) is not dict or not any(given.get(key) in _NULLS for key in VALUE_KEYS.values()):
        return reader.fragment({term: given})["attrs"]
    if not given.keys() <= _OF_DELETED:
        raise EntityIsInvalid(where=term, problem="is deleted, so that it has a time and a datasetId alone")
    found = replace(reader, nulls=Nulls.DELETES).fragment({term: given})["attrs"]
    return {iri: [_deleted(each, reader.now) for each in instances] for iri, instances in found.items()}


def _deleted(instance: Instance, now: str) -> Instance:
    kept = {name: member for name, member in instance.items() if name in ("observedAt", "datasetId")}
    kind = instance.get("type") or "Property"
    return {"type": kind, **null_of(kind), **kept, "createdAt": now, "modifiedAt": now}
