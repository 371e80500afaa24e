"""NGSIv2 → canonical form → NGSIv2 is the identity, and what lies between is valid NGSI-LD."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sanpo.broker.contexts.context import CORE
from sanpo.broker.model import NULL
from sanpo.broker.ngsi_v2.names import id_of, iri_of, name_of, uri_of
from sanpo.broker.ngsi_v2.reading import Reader
from sanpo.broker.ngsi_v2.syntax import BUILT_IN, BUILT_IN_METADATA, FORBIDDEN
from sanpo.broker.ngsi_v2.values import MAPPING, TIMES
from sanpo.broker.ngsi_v2.writing import Writer
from sanpo.broker.representation.reading import Reader as ReaderOfNgsiLd
from sanpo.broker.representation.writing import Writer as WriterOfNgsiLd

NOW = "2026-04-01T00:00:00.000000Z"
ALLOWED = "".join(sign for sign in map(chr, range(33, 127)) if sign not in FORBIDDEN and sign not in "&?/#")
TRICKY = [
    "value", "object", "observedAt", "unitCode", "datasetId", "createdAt", "scope", "location", "name", "description",
    "ngsi-ld:location", "geojson:Point", "@type", "@context", "a.b", "my-attr", "urn:x:y", "urn:sanpo:v2:Room1", "100%",
    "a%41", "_x", "$ref", "coordinates", "metadata", "title", "lang", "json",
]  # fmt: skip
fields = st.sampled_from(TRICKY) | st.text(ALLOWED, min_size=1, max_size=12)
ids = fields | st.sampled_from(["Room1", "urn:ngsi-ld:Room:1", "http:x", "a:b", "1"])
texts = st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters=[*FORBIDDEN, "\x00"]), max_size=8)
strings = texts | st.sampled_from([NULL, "", "@json", "2026-04-01T00:00:00Z"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | strings
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(texts | st.sampled_from(["@type", "@value", "type", "value"]), inner, max_size=3)
    ),
    max_leaves=6,
)
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)
positions = st.tuples(latitudes, longitudes).map(lambda each: f"{each[0]},  {each[1]}")
geometries = st.tuples(longitudes, latitudes).map(lambda each: {"type": "Point", "coordinates": list(each)})
moments = st.datetimes().map(lambda each: each.isoformat(timespec="milliseconds") + "Z")
words = st.text(ALLOWED, min_size=1, max_size=8).filter(lambda word: word not in (*TIMES, "TextUnrestricted"))
typed = st.one_of(
    st.tuples(st.sampled_from(TIMES), moments | st.none()),
    st.tuples(st.just("geo:json"), geometries | st.none()),
    st.tuples(st.just("geo:point"), positions | st.none()),
    st.tuples(st.sampled_from(["geo:line", "geo:box"]), st.lists(positions, min_size=2, max_size=2)),
    st.tuples(st.just("geo:polygon"), st.lists(positions, min_size=3, max_size=3).map(lambda each: [*each, each[0]])),
    st.tuples(st.sampled_from(["Relationship", "ListRelationship"]), ids | st.lists(ids, max_size=3) | values),
    st.tuples(
        st.sampled_from(
            ["LanguageProperty", "VocabProperty", "JsonProperty", "ListProperty", "Property", "GeoProperty"]
        ),
        values | st.dictionaries(st.sampled_from(["ja", "en", "@none"]), texts, max_size=2) | ids,
    ),
    st.tuples(words, values),
    st.tuples(st.sampled_from(["Number", "Text", "Boolean", "StructuredValue", "None"]), values),
).filter(lambda each: not each[0].startswith("geo:") or each[1] is not None)
data = typed.map(lambda each: {"type": each[0], "value": each[1]})
metadata_names = fields.filter(lambda name: name not in (*BUILT_IN_METADATA, "*"))
unit = st.fixed_dictionaries(
    {},
    optional={
        "observedAt": moments.map(lambda each: {"type": "DateTime", "value": each}),
        "unitCode": st.just({"type": "Text", "value": "CEL"}),
    },
)
attributes = st.builds(
    lambda each, own, unit: {**each, "metadata": {**own, **unit}},
    data,
    st.dictionaries(metadata_names, data, max_size=2),
    unit,
)
names = fields.filter(lambda name: name not in (*BUILT_IN, "id", "type", "geo:distance", "*"))
entities = st.builds(
    lambda entity_id, kind, attrs: {"id": entity_id, "type": kind, **attrs},
    ids,
    fields,
    st.dictionaries(names, attributes, max_size=4),
)


@given(entities)
def test_entity_of_ngsi_v2_comes_back_as_it_was(entity: dict[str, Any]) -> None:
    assert Writer().entity(Reader(NOW).entity(entity)) == entity


@given(entities)
def test_entity_of_ngsi_v2_is_valid_ngsi_ld(entity: dict[str, Any]) -> None:
    entity.pop("location", None)  # NGSI-LD has it as a place and nothing else
    assume(NULL not in str(entity))  # what is stored under that name NGSI-LD shows, but nobody may send it
    stored = Reader(NOW).entity(entity)
    shown = WriterOfNgsiLd(CORE).entity(stored)
    again = ReaderOfNgsiLd(CORE, NOW).entity(shown)
    seen = Writer().entity(again)
    for name, attribute in entity.items():
        if name in ("id", "type") or not attribute["type"].startswith("geo:"):
            continue
        seen[name] = attribute  # as GeoJSON, when it has been through NGSI-LD's own text
    for attribute in (each for name, each in entity.items() if name not in ("id", "type")):
        for each in attribute["metadata"].values():
            if each["type"].startswith("geo:"):
                return
    assert seen == entity


@given(fields | st.text(min_size=1, max_size=6))
def test_names_and_ids_come_back_as_they_were(name: str) -> None:
    assert name_of(iri_of(name)) == name
    assert id_of(uri_of(name)) == name


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("temperature", "https://uri.etsi.org/ngsi-ld/default-context/temperature"),
        ("location", "https://uri.etsi.org/ngsi-ld/location"),
        ("https://example.org/x", "https://example.org/x"),
        ("my-attr", "urn:sanpo:v2:my-attr"),
        ("value", "urn:sanpo:v2:value"),
    ],
)
def test_name_is_an_iri_that_ngsi_ld_can_have(name: str, iri: str) -> None:
    assert iri_of(name) == iri


@pytest.mark.parametrize("iri", ["https://uri.etsi.org/ngsi-ld/default-context/my-attr", "https://example.org/a#b"])
def test_name_of_ngsi_ld_is_found_again_by_what_ngsi_v2_sees(iri: str) -> None:
    assert iri_of(name_of(iri)) == iri


EXAMPLES: dict[str, Any] = {
    "Number": (1, {"type": "Property", "value": 1}),
    "Text": ("x", {"type": "Property", "value": "x"}),
    "Boolean": (True, {"type": "Property", "value": True}),
    "StructuredValue": ([1], {"type": "Property", "value": [1]}),
    "None": (None, {"type": "Property", "value": {"@type": "@json", "@value": None}}),
    "DateTime": (
        "2026-04-01T00:00:00.000Z",
        {"type": "Property", "value": {"@type": "DateTime", "@value": "2026-04-01T00:00:00.000Z"}},
    ),
    "geo:json": (
        {"type": "Point", "coordinates": [1, 2]},
        {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}},
    ),
    "geo:point": ("2, 1", {"type": "GeoProperty", "value": {"type": "Point", "coordinates": [1, 2]}}),
    "Relationship": ("Room1", {"type": "Relationship", "object": "urn:sanpo:v2:Room1"}),
    "ListRelationship": (
        ["urn:a:b"],
        {"type": "ListRelationship", "objectList": [{"object": "urn:a:b"}]},
    ),
    "LanguageProperty": ({"ja": "青"}, {"type": "LanguageProperty", "languageMap": {"ja": "青"}}),
    "VocabProperty": ("open", {"type": "VocabProperty", "vocab": "open"}),
    "JsonProperty": ({"a": 1}, {"type": "JsonProperty", "json": {"a": 1}}),
    "ListProperty": ([1], {"type": "ListProperty", "valueList": [1]}),
    "any other": (1, {"type": "Property", "value": 1, "valueType": "celsius"}),
}


@pytest.mark.parametrize("row", MAPPING, ids=lambda row: row[0])
def test_table_of_the_mapping_is_true(row: tuple[str, str, str]) -> None:
    kind = row[0].split(",")[-1].strip() if row[0].startswith("geo:point") else row[0].split(",")[0]
    kind = "geo:point" if kind == "geo:polygon" else kind
    key = "any other" if kind.startswith("any other") else kind
    value, shown = EXAMPLES[key]
    given = {"type": "celsius" if key == "any other" else kind, "value": value}
    stored = Reader(NOW).entity({"id": "a", "x": given})
    assert WriterOfNgsiLd(CORE).entity(stored)["x"] == shown
    assert row[2].startswith(shown["type"])
    assert Writer().entity(stored)["x"] == {**given, "metadata": {}}
