"""Whatever comes in, every operation of `/v2` answers, and never with a failure of its own."""

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient

from sanpo.broker.api import table_of_v2

Http = TestClient[Any]
WORDS = [
    "id", "type", "value", "metadata", "a", "Room1", "entities", "actionType", "append", "delete", "replace", "update",
    "data", "subscriptionId", "subject", "notification", "http", "url", "http://127.0.0.1:9/x", "condition", "attrs",
    "expression", "q", "a==1", "geo:point", "1, 2", "geo:json", "geo:box", "DateTime", "2026-04-01", "Relationship",
    "LanguageProperty",
    "idPattern", ".*", "httpCustom", "json", "ngsi", "${a}", "mqtt", "topic", "status", "expires", "throttling", "location",
    "urn:ngsi-ld:null", "dateExpires", "@type", "@value", "near;maxDistance:5", "point",
]  # fmt: skip
words = st.sampled_from(WORDS) | st.text(max_size=4)
scalars = words | st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
bodies = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5), max_leaves=14
)
queries = st.dictionaries(
    st.sampled_from(
        ["q", "mq", "id", "type", "idPattern", "typePattern", "georel", "geometry", "coords", "orderBy", "attrs"]
    )
    | st.sampled_from(["limit", "offset", "options", "metadata"]),
    words | st.sampled_from(["(((", "a[", "1,1;2", "!a", "geo:distance", "keyValues", "'", "a.'b.c'~=(x)+"]),
    max_size=3,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.sampled_from(table_of_v2.operations), st.lists(words, min_size=2, max_size=2), queries, bodies)
def test_operation_answers_whatever_comes(
    v2: Http, operation: Any, places: list[str], query: dict[str, str], body: Any
) -> None:
    path = operation.path
    for place in places:
        path = path.replace("{}", quote(place, safe="") or "x", 1)
    known = {name: text for name, text in query.items() if name in operation.parameters}
    v2.base_url = v2.base_url.join("/")
    reply = v2.request(operation.method, f"/{path}", params=known, json=body if operation.bodies else None)
    assert reply.status_code < 500 or reply.json()["error"] == "NotImplemented", reply.text
    if reply.status_code >= 400:
        assert reply.json().keys() == {"error", "description"}


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"id":"a","b":' + b'{"value":' * 5_000 + b"1" + b"}" * 5_001,
        b'"\\u0000"',
        b'"\\ud800"',
        b"\xff",
        b"",
    ],
    ids=["deep", "nested", "nul", "surrogate", "latin", "nothing"],
)
def test_body_that_is_no_json_is_a_parse_error(v2: Http, body: bytes) -> None:
    reply = v2.post("/entities", content=body, headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]) in ((400, "ParseError"), (400, "BadRequest"))


def test_body_that_is_too_long_is_refused(v2: Http) -> None:
    reply = v2.post("/entities", content=b" " * (5 * 1024 * 1024), headers={"content-type": "application/json"})
    assert (reply.status_code, reply.json()["error"]) == (413, "RequestEntityTooLarge")
