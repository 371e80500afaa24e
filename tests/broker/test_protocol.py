"""Preconditions, media types, contexts and tenants of the HTTP binding (ETSI GS CIM 009 §6.3)."""

import re
from typing import Any

import pytest
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Vehicle:1"
PATH = f"/entities/{ID}"
VEHICLE = {"id": ID, "type": "Vehicle", "speed": {"type": "Property", "value": 1}}
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
JSON, LD, GEO = "application/json", "application/ld+json", "application/geo+json"


@pytest.fixture
def filled(broker: TestClient[Any]) -> TestClient[Any]:
    assert broker.post("/entities", json=VEHICLE).status_code == 201
    return broker


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (f"{LD}, {JSON}", JSON),
        (f"{GEO}, {JSON}", JSON),
        (f"{JSON};q=0.1, {LD};q=0.9", LD),
        (LD, LD),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{JSON};q=0, */*;q=0.5", LD),
        (f"*/*;q=0.9, {LD};q=0.8", JSON),
        (f"{LD};q=high", LD),
        ("", JSON),
    ],
)
def test_media_type_is_chosen_by_weight_then_by_the_standards_order(
    filled: TestClient[Any], accept: str, chosen: str
) -> None:
    found = filled.get(PATH, headers={"accept": accept})
    assert (found.status_code, found.headers["content-type"]) == (200, chosen)


def test_what_nobody_can_read_is_not_sent(filled: TestClient[Any]) -> None:
    assert filled.get(PATH, headers={"accept": "text/html"}).status_code == 406
    assert filled.get("/types", headers={"accept": GEO}).status_code == 406


@pytest.mark.parametrize("content_type", ["text/plain", "application/xml", ""])
def test_body_of_another_media_type_is_refused(broker: TestClient[Any], content_type: str) -> None:
    answer = broker.post("/entities", content=b"{}", headers={"content-type": content_type})
    assert answer.status_code == 415


def test_merge_patch_is_for_patches(filled: TestClient[Any]) -> None:
    headers = {"content-type": "application/merge-patch+json"}
    assert filled.patch(PATH, content=b'{"speed": 2}', headers=headers).status_code == 204
    assert filled.post("/entities", content=b"{}", headers=headers).status_code == 415


@pytest.mark.parametrize(("method", "path"), [("POST", "/entities"), ("PATCH", f"{PATH}/attrs"), ("PUT", PATH)])
def test_body_without_length_is_refused_before_anything_else(broker: TestClient[Any], method: str, path: str) -> None:
    headers = {"content-type": JSON, "ngsild-tenant": "nosuch"}
    answer = broker.request(method, path, content=iter([b"{}"]), headers=headers)
    assert (answer.status_code, answer.content) == (411, b"")


def test_body_that_is_no_json_is_an_invalid_request(broker: TestClient[Any]) -> None:
    for body in (b'{"id":', b"\xff\xfe", b'{"id":"urn:a:b","type":"T","p":"\\u0000"}'):
        answer = broker.post("/entities", content=body, headers={"content-type": JSON})
        assert (answer.status_code, answer.json()["type"]) == (400, ERRORS + "InvalidRequest")


def test_context_stands_in_the_header_or_in_the_body(broker: TestClient[Any]) -> None:
    def sent(body: Any, content_type: str, **headers: str) -> int:
        return broker.post("/entities", json=body, headers={"content-type": content_type, **headers}).status_code

    context = {"@context": {"speed": "https://a.example/speed"}}
    link = '<https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld>; rel="http://www.w3.org/ns/json-ld#context"'
    assert sent({**VEHICLE, **context}, JSON) == 400
    assert sent(VEHICLE, LD) == 400
    assert sent({**VEHICLE, **context}, LD, link=link) == 400
    assert sent(VEHICLE, JSON, link=f"{link}, {link}") == 400
    assert sent({**VEHICLE, **context}, LD) == 201
    assert "https://a.example/speed" in broker.get(PATH).json()


def test_json_ld_answer_holds_its_context(filled: TestClient[Any]) -> None:
    found = filled.get(PATH, headers={"accept": LD})
    assert "ngsi-ld-core-context" in found.json()["@context"]
    assert "link" not in found.headers


def test_tenants_do_not_see_each_other(broker: TestClient[Any]) -> None:
    one, other = {"ngsild-tenant": "one"}, {"ngsild-tenant": "other"}
    missing = broker.get("/entities?type=Vehicle", headers=one)
    assert (missing.status_code, missing.json()["type"]) == (404, ERRORS + "NonexistentTenant")
    assert missing.headers["ngsild-tenant"] == "one"
    made = broker.post("/entities", json=VEHICLE, headers=one)
    assert (made.status_code, made.headers["ngsild-tenant"]) == (201, "one")
    assert broker.get(PATH, headers=one).status_code == 200
    assert broker.get(PATH).status_code == 404
    assert broker.get(PATH, headers=other).json()["type"] == ERRORS + "NonexistentTenant"
    assert broker.get("/entities?type=Vehicle").json() == []


def test_no_content_has_no_length(filled: TestClient[Any]) -> None:
    gone = filled.delete(PATH)
    assert (gone.status_code, gone.headers.get("content-length")) == (204, None)


def test_unknown_paths_and_methods_are_named(broker: TestClient[Any]) -> None:
    assert broker.get("/nothing").status_code == 404
    answer = broker.request("OPTIONS", "/entities")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, PATCH, POST, PUT")


def test_body_that_is_too_large_is_refused(broker: TestClient[Any]) -> None:
    answer = broker.post("/entities", content=b" " * (5 * 1024 * 1024), headers={"content-type": JSON})
    assert answer.status_code == 413


def test_identity_is_each_tenants_own(broker: TestClient[Any]) -> None:
    one, again, other = (
        broker.get("/info/sourceIdentity", headers={"ngsild-tenant": tenant}).json()
        for tenant in ("one", "one", "other")
    )
    assert one["type"] == "ContextSourceIdentity"
    assert re.fullmatch(r"PT\d+S", one["contextSourceUptime"])
    assert one["contextSourceTimeAt"] == "2026-04-01T00:00:00Z"
    assert one["contextSourceAlias"] == again["contextSourceAlias"] != other["contextSourceAlias"]


def test_answer_says_how_long_its_stages_took(filled: TestClient[Any]) -> None:
    stages = r"actor;dur=\d+\.\d\d, context;dur=\d+\.\d\d, work;dur=\d+\.\d\d"
    fragment = {"speed": {"value": 2}}
    for answer in (filled.get(PATH), filled.get("/entities?type=Vehicle"), filled.patch(PATH, json=fragment)):
        assert answer.status_code < 300
        assert re.fullmatch(stages, answer.headers["server-timing"])
