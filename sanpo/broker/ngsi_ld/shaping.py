"""What parts of an entity an answer shows: types asked for, projection, instances, geometry (§4.21, §6.3.7)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sanpo.broker.entities import Wanted
from sanpo.broker.errors import ParameterIsInvalid
from sanpo.broker.language.projection import MEMBERS, Projection, omit, parse_attrs, parse_projection, pick
from sanpo.broker.language.type_selection import matches_types, parse_types
from sanpo.broker.model import LOCATION, Attributes
from sanpo.broker.ngsi_ld.calls import Call
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import GEO
from sanpo.broker.representation.checks import check_name, check_time, check_uri
from sanpo.broker.representation.geojson import feature
from sanpo.broker.representation.writing import Writer

MAX_JOIN_LEVEL = 10


@dataclass(frozen=True)
class Shape:
    """How one answer shows each entity."""

    writer: Writer
    geometry: str | None = None
    attrs: frozenset[str] | None = None
    datasets: frozenset[str | None] | None = None
    picked: Projection | None = None
    omitted: Projection | None = None

    def of(self, doc: Any) -> Any:
        shown = self.projected(doc)
        if self.geometry is None:
            return self.writer.entity(shown)
        return feature(shown, self.writer, self.geometry, doc)

    def projected(self, doc: Any) -> Any:
        """The members asked for, of the instances asked for."""
        if self.attrs is not None:
            doc = {**doc, "attrs": {iri: each for iri, each in doc["attrs"].items() if iri in self.attrs}}
        if self.picked is not None:
            doc = pick(self.picked, doc)
        if self.omitted is not None:
            doc = omit(self.omitted, doc)
        return doc if self.datasets is None else {**doc, "attrs": self._of_datasets(doc["attrs"])}

    def is_empty(self, doc: Any) -> bool:
        """Whether nothing of it would be left (§4.21)."""
        shown = self.projected(doc)
        return not shown["attrs"] and shown.keys().isdisjoint(MEMBERS)

    def _of_datasets(self, attrs: Attributes) -> Attributes:
        datasets = self.datasets or frozenset()
        kept = {iri: [each for each in found if each.get("datasetId") in datasets] for iri, found in attrs.items()}
        return {iri: found for iri, found in kept.items() if found}


def shape_of(call: Call, values: Mapping[str, str], linked: Linked) -> Shape:
    """The shape that the parameters ask for. Raises `ParameterIsInvalid`."""
    attrs, datasets = values.get("attrs"), values.get("datasetId")
    if attrs and (values.get("pick") or values.get("omit")):
        raise ParameterIsInvalid(name="attrs", problem="cannot stand beside pick or omit")
    picked, omitted = _projection("pick", values, linked), _projection("omit", values, linked)
    both = set(picked.members) & set(omitted.members) if picked is not None and omitted is not None else ()
    if both:
        raise ParameterIsInvalid(name="omit", problem=f"holds what pick holds: {', '.join(sorted(both))}")
    return Shape(
        call.writer(linked),
        _geometry(call, values, linked),
        frozenset(parse_attrs(attrs, linked.context)) if attrs else None,
        frozenset(_dataset(each.strip()) for each in datasets.split(",")) if datasets else None,
        picked,
        omitted,
    )


def join_level(values: Mapping[str, str]) -> int:
    """How many relationships the answer follows (§4.5.23): none without `join`."""
    join = values.get("join") or "@none"
    if join not in ("@none", "flat", "inline"):
        raise ParameterIsInvalid(name="join", problem="is none of flat, inline, @none")
    given = values.get("joinLevel")
    if given is not None and not (given.isascii() and given.isdigit() and 1 <= int(given[:3]) <= MAX_JOIN_LEVEL):
        raise ParameterIsInvalid(name="joinLevel", problem=f"is no whole number from 1 to {MAX_JOIN_LEVEL}")
    return 0 if join == "@none" else int(given or 1)


def ids_in(values: Mapping[str, str], name: str) -> list[str]:
    given = values.get(name)
    return [check_uri(each.strip(), name) for each in given.split(",")] if given else []


def _projection(name: str, values: Mapping[str, str], linked: Linked) -> Projection | None:
    given = values.get(name)
    if not given:
        return None
    found = parse_projection(given, linked.context, parameter=name)
    if found.depth > join_level(values):
        raise ParameterIsInvalid(name=name, problem="looks deeper into linked entities than join and joinLevel allow")
    return found


def _dataset(given: str) -> str | None:
    return None if given == "@none" else check_uri(given, "datasetId")


def _geometry(call: Call, values: Mapping[str, str], linked: Linked) -> str | None:
    given = values.get("geometryProperty")
    if call.media_type == GEO:
        return linked.context.expand(check_name(given, "geometryProperty")) if given else LOCATION
    if given is not None:
        raise ParameterIsInvalid(name="geometryProperty", problem="needs Accept: application/geo+json")
    return None


def check_id(entity_id: str) -> str:
    return check_uri(entity_id, "id")


def time_of(call: Call, name: str) -> str | None:
    given = call.query.get(name)
    return None if given is None else check_time(given, name)


def wanted(call: Call, linked: Linked) -> Wanted | None:
    """The selection of types (§4.17) as a test of an entity."""
    given = call.query.get("type")
    if not given:
        return None
    selection = parse_types(given, linked.context)
    return lambda doc: matches_types(selection, doc)
