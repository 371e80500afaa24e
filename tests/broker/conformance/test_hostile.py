"""Whatever comes in, the answer is a ProblemDetails in bounded time (ETSI GS CIM 009 §5.5.2, §5.5.4, §6.3.2)."""

import json
import string
import time
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Bench:1"
JSON, LD = {"content-type": "application/json"}, {"content-type": "application/ld+json"}
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
MOST_S = 5.0  # much more than any of them takes; a machine that is busy must not fail the test
DEPTH = 10_000
WRITES = [
    ("POST", "/entities"),
    ("PUT", f"/entities/{ID}"),
    ("PATCH", f"/entities/{ID}"),
    ("POST", f"/entities/{ID}/attrs"),
    ("PATCH", f"/entities/{ID}/attrs"),
    ("PATCH", f"/entities/{ID}/attrs/seats"),
    ("PUT", f"/entities/{ID}/attrs/seats"),
    ("POST", "/entityOperations/create"),
    ("POST", "/entityOperations/upsert"),
    ("POST", "/entityOperations/update"),
    ("POST", "/entityOperations/merge"),
    ("POST", "/entityOperations/delete"),
    ("POST", "/entityOperations/query"),
    ("POST", "/temporal/entities"),
    ("POST", f"/temporal/entities/{ID}/attrs"),
    ("POST", "/temporal/entityOperations/query"),
    ("POST", "/subscriptions"),
    ("POST", "/jsonldContexts"),
]


def check(answer: Any, begun: float) -> None:
    """Nothing worse than a refusal, soon, with a body that says why."""
    assert time.monotonic() - begun < MOST_S
    assert answer.status_code < 500 or answer.json()["type"] == ERRORS + "LdContextNotAvailable", answer.text
    if answer.status_code >= 400 and answer.content:
        found = answer.json()
        assert found.keys() == {"type", "title", "status", "detail"}
        assert found["status"] == answer.status_code


def nested(opening: bytes, closing: bytes, inside: bytes = b"1") -> bytes:
    return opening * DEPTH + inside + closing * DEPTH


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "half an object": b'{"id":',
    "no UTF-8": b'{"id":"\xff\xfe"}',
    "a lone surrogate": b'{"id":"urn:a:b","type":"T","p":"\\ud800"}',
    "a byte order mark": b'\xef\xbb\xbf{"id":"urn:a:b","type":"T"}',
    "a number": b"1e999",
    "a number of 100,000 digits": b'{"id":"urn:a:b","type":"T","p":' + b"9" * 100_000 + b"}",
    "arrays without end": nested(b"[", b"]"),
    "objects without end": nested(b'{"a":', b"}"),
    "values without end": b'{"id":"urn:a:b","type":"T","p":{"type":"Property","value":' + nested(b"[", b"]") + b"}}",
    "attributes without end": b'{"id":"urn:a:b","type":"T","p":' + nested(b'{"value":1,"a":', b"}") + b"}",
    "entities without end": b'[{"id":"urn:a:b","type":"T","p":' + nested(b'{"value":1,"a":', b"}") + b"}]",
    "5,000 attributes": json.dumps({"id": "urn:a:b", "type": "T", **{f"a{n}": n for n in range(5_000)}}).encode(),
    "one name twice": b'{"id":"urn:a:b","id":"urn:a:c","type":"T","type":"U","p":1,"p":2}',
    "5 MB": b'{"id":"urn:a:b","type":"T","p":"' + b"x" * 5 * 1024 * 1024 + b'"}',
}
CONTEXTS: dict[str, Any] = {
    "number": 5,
    "false": False,
    "empty text": "",
    "relative": "../c.jsonld",
    "file": "file:///etc/passwd",
    "private address": "http://127.0.0.1:1/c.jsonld",
    "list of nothing": [None, [None]],
    "term of a number": {"Bench": 5},
    "term of itself": {"Bench": "Bench"},
    "terms in a circle": {"a": "b:x", "b": "c:x", "c": "a:x"},
    "scoped": {"Bench": {"@id": "https://a.example/B", "@context": {}}},
    "keyword as a term": {"@type": "https://a.example/t"},
    "import": {"@import": "https://a.example/c.jsonld"},
    "30,000 terms": {f"t{n}": f"https://a.example/{n}" for n in range(30_000)},
}
GEOMETRIES: list[Any] = [
    {"type": ["Point"], "coordinates": [1, 2]},
    {"type": {"Point": 1}, "coordinates": [1, 2]},
    {"type": "Point"},
    {"type": "Point", "coordinates": {}},
    {"type": "Point", "coordinates": [1, 2, 3, 4, 5]},
    {"type": "Point", "coordinates": [True, False]},
    {"type": "Point", "coordinates": ["1", "2"]},
    {"type": "Point", "coordinates": [181, 0]},
    {"type": "Point", "coordinates": [[1, 2]]},
    {"type": "LineString", "coordinates": [[1, 2]]},
    {"type": "LineString", "coordinates": [[1, 2], 3]},
    {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 1]]]},
    {"type": "Polygon", "coordinates": [[]]},
    {"type": "MultiPolygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},
    {"type": "MultiPoint", "coordinates": [[1, 2]] * 20_001},
    {"type": "GeometryCollection", "geometries": []},
    {"type": "Feature", "geometry": {"type": "Point", "coordinates": [1, 2]}},
    '{"type": "Point", "coordinates": [1, 2',
    "[" * DEPTH,
]


@pytest.mark.parametrize("body", BODIES)
def test_body_is_refused_or_taken(broker: TestClient[Any], body: str) -> None:
    for method, path in WRITES:
        for headers in (JSON, LD):
            begun = time.monotonic()
            check(broker.request(method, path, content=BODIES[body], headers=headers), begun)


@pytest.mark.parametrize("context", CONTEXTS)
def test_context_is_refused_or_taken(broker: TestClient[Any], context: str) -> None:
    body = {"id": ID, "type": "Bench", "@context": CONTEXTS[context]}
    for path in ("/entities", "/jsonldContexts", "/subscriptions"):
        begun = time.monotonic()
        check(broker.post(path, json=body, headers=LD), begun)


def test_context_nested_without_end_is_refused(broker: TestClient[Any]) -> None:
    for deep in (nested(b"[", b"]"), nested(b'{"a":', b"}"), nested(b'[{"@context":', b"}]")):
        begun = time.monotonic()
        answer = broker.post("/entities", content=b'{"id":"urn:a:b","type":"T","@context":' + deep + b"}", headers=LD)
        check(answer, begun)
        assert answer.status_code == 400


@pytest.mark.parametrize("at", range(len(GEOMETRIES)))
def test_geometry_that_is_none_is_refused(broker: TestClient[Any], at: int) -> None:
    for attribute in ({"type": "GeoProperty", "value": GEOMETRIES[at]}, {"location": 1, "value": GEOMETRIES[at]}):
        begun = time.monotonic()
        answer = broker.post("/entities", json={"id": ID, "type": "Bench", "location": attribute})
        check(answer, begun)
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "BadRequestData")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q", "(" * 1_000),
        ("q", "a" * 50_000),
        ("q", 'a=="' + "'; drop table broker.entities; --" + '"'),
        ("q", 'a~="' + "(a+)+" * 20 + '$"'),
        ("idPattern", "(a+)+$" * 50),
        ("idPattern", "[" * 1_000),
        ("scopeQ", "/a" * 5_000),
        ("type", "(" * 1_000),
        ("type", "," * 1_000),
        ("id", "urn:a:b," * 2_000),
        ("pick", "{" * 1_000),
        ("attrs", ",".join(f"a{n}" for n in range(2_000))),
        ("orderBy", "dist-asc" * 500),
        ("limit", "9" * 5_000),
        ("lang", "*;q=" + "9" * 5_000),
        ("options", "x" * 10_000),
    ],
)
def test_parameter_is_refused_or_taken(broker: TestClient[Any], name: str, text: str) -> None:
    broker.post("/entities", json={"id": ID, "type": "Bench", "a": "a" * 50})
    for path in ("/entities", f"/entities/{ID}", "/temporal/entities"):
        begun = time.monotonic()
        check(broker.get(f"{path}?{name}={quote(text)}"), begun)
    assert broker.get(f"/entities/{ID}").status_code == 200


WORDS = """id type scope @id @type @context value object json languageMap vocab valueList objectList datasetId unitCode
observedAt location coordinates seats entities notification endpoint uri q geoQ temporalQ"""
_names = st.one_of(st.sampled_from(WORDS.split()), st.text(string.ascii_letters + "@:/ é席", max_size=6))
_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from([ID, "Property", "Relationship", "GeoProperty", "Point", "Bench", "urn:ngsi-ld:null", "@none"]),
)
_values = st.recursive(
    _scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(_names, inner, max_size=5)),
    max_leaves=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.dictionaries(_names, _values, max_size=6), write=st.sampled_from(WRITES), ld=st.booleans())
def test_random_data_is_refused_or_taken(broker: TestClient[Any], data: Any, write: Any, ld: bool) -> None:
    method, path = write
    body: Any = {"id": ID, "type": "Bench", **data}
    if path.startswith("/entityOperations") and not path.endswith("query"):
        body = [body]
    begun = time.monotonic()
    check(broker.request(method, path, json=body, headers=LD if ld else JSON), begun)


def test_chain_of_contexts_ends(broker: TestClient[Any]) -> None:
    named = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
    for _ in range(40):
        begun = time.monotonic()
        made = broker.post("/jsonldContexts", json={"@context": [named, {"a": "https://a.example/a"}]})
        check(made, begun)
        if made.status_code != 201:
            break
        named = "http://sanpo.example" + made.headers["location"]
    used = {"id": ID, "type": "Bench", "@context": named}
    begun = time.monotonic()
    check(broker.post("/entities", json=used, headers=LD), begun)
