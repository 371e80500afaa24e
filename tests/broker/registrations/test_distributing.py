"""Distributed operations: what goes where by the mode of a registration, and what the answer says (§4.3.6, §5.6, §5.7)."""

import json
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.broker.registrations.conftest import Source, register

CAR = "urn:ngsi-ld:Car:1"
SPEED = {"type": "Property", "value": 80}
BRAND = {"type": "Property", "value": "A"}
WHOLE = {"id": CAR, "type": "Car", "speed": SPEED, "brand": BRAND}
ALL = {"operations": ["redirectionOps"]}
OF_SPEED: Any = {"entity": {"id": CAR}, "information": {"propertyNames": ["speed"]}, **ALL}


def local(here: TestClient[Any]) -> Any:
    answer = here.get(f"/entities/{CAR}?local=true")
    return answer.json() if answer.status_code == 200 else None


def test_entity_of_another_source_is_retrieved(here: TestClient[Any], source: Source) -> None:
    register(here, source, contextSourceInfo=[{"key": "X-Purpose", "value": "traffic"}], tenant="next")
    source.lay("GET", f"entities/{CAR}", 200, WHOLE)
    assert here.get(f"/entities/{CAR}").json() == WHOLE
    _, _, _, headers = source.asked[0]
    assert (headers["x-purpose"], headers["ngsild-tenant"]) == ("traffic", "next")
    assert headers["via"].startswith("1.1 urn:ngsi-ld:ContextSource:")
    assert here.get(f"/entities/{CAR}?local=true").status_code == 404
    assert len(source.asked) == 1


@pytest.mark.parametrize(("mode", "speed"), [("inclusive", 80), ("auxiliary", 50)])
def test_what_is_here_and_there_is_put_together(here: TestClient[Any], source: Source, mode: str, speed: int) -> None:
    """An inclusive source wins where it observed later, an auxiliary one only adds (§4.3.6.2)."""
    old = {"type": "Property", "value": 50, "observedAt": "2026-01-01T00:00:00Z"}
    here.post("/entities", json={"id": CAR, "type": "Car", "speed": old})
    register(here, source, mode=mode)
    source.lay("GET", f"entities/{CAR}", 200, {**WHOLE, "speed": {**SPEED, "observedAt": "2026-02-01T00:00:00Z"}})
    found = here.get(f"/entities/{CAR}").json()
    assert (found["speed"]["value"], found["brand"]) == (speed, BRAND)


@pytest.mark.parametrize(
    ("status", "body", "warning"),
    [(404, None, None), (403, {}, "299"), (200, b"no json", "111"), (200, {"type": "Car"}, "111")],
)
def test_source_that_fails_is_named_in_a_warning(
    here: TestClient[Any], source: Source, status: int, body: Any, warning: str | None
) -> None:
    """§6.3.17"""
    register(here, source)
    source.lay("GET", f"entities/{CAR}", status, body)
    answer = here.get(f"/entities/{CAR}")
    assert answer.status_code == 404
    assert answer.headers.get("ngsild-warning", "")[:3] == (warning or "")
    here.post("/entities?local=true", json=WHOLE)
    assert here.get(f"/entities/{CAR}").status_code == 200


def test_source_that_does_not_answer_holds_nobody_up(here: TestClient[Any], source: Source) -> None:
    here.post("/entities", json=WHOLE)
    answer = here.post(
        "/csourceRegistrations",
        json={
            "type": "ContextSourceRegistration",
            "endpoint": "http://127.0.0.1:9",
            "information": [{"entities": [{"type": "Car"}]}],
        },
    )
    assert answer.status_code == 201
    found = here.get(f"/entities/{CAR}")
    assert (found.status_code, found.headers["ngsild-warning"][:3]) == (200, "112")


def test_private_address_is_not_asked_unless_the_city_allows_it(broker: TestClient[Any], source: Source) -> None:
    register(broker, source)
    source.lay("GET", f"entities/{CAR}", 200, WHOLE)
    assert broker.get(f"/entities/{CAR}").status_code == 404
    assert source.asked == []


def test_query_gathers_pages_and_counts(here: TestClient[Any], source: Source) -> None:
    here.post("/entities", json=WHOLE)
    register(here, source)
    there = [{"id": f"urn:next:{n}", "type": "Car", "speed": SPEED} for n in range(2)]
    source.lay("GET", "entities", 200, there)
    page = here.get("/entities?type=Car&limit=2&count=true")
    assert ([each["id"] for each in page.json()], page.headers["ngsild-results-count"]) == ([CAR, "urn:next:0"], "3")
    assert [each["id"] for each in here.get("/entities?type=Car&limit=2&offset=2").json()] == ["urn:next:1"]
    assert source.lines[:2] == ["GET entities?type=Car&limit=2", "GET entities?type=Car&limit=4"]
    assert here.get("/entities?type=Car&orderBy=speed").status_code == 400
    assert here.get("/entities?type=Car&orderBy=speed&local=true").status_code == 200
    assert len(here.get("/entities?type=Bus").json()) == 0
    assert here.get("/entities?type=Car&csf=kind==1").json() == [WHOLE]


def test_query_asks_a_source_for_what_it_holds(here: TestClient[Any], source: Source) -> None:
    register(here, source, mode="exclusive", **OF_SPEED)
    here.post("/entities?local=true", json={"id": CAR, "type": "Car", "brand": BRAND})
    source.lay("GET", "entities", 200, [{"id": CAR, "type": "Car", "speed": SPEED}])
    assert here.get("/entities?type=Car").json() == [{**WHOLE}]
    assert source.lines == [f"GET entities?type=Car&id={CAR}&attrs=speed"]


def test_query_by_post_goes_on_by_post(here: TestClient[Any], source: Source) -> None:
    register(here, source)
    source.lay("POST", "entityOperations/query", 200, [WHOLE])
    asked = {"type": "Query", "entities": [{"type": "Car"}]}
    assert here.post("/entityOperations/query", json=asked).json() == [WHOLE]
    assert source.asked[0][2]["entities"] == [{"type": "Car"}]


@pytest.mark.parametrize(
    ("members", "sent", "kept"),
    [
        ({"mode": "inclusive", **ALL}, WHOLE, WHOLE),
        ({"mode": "redirect", **ALL}, WHOLE, None),
        ({"mode": "exclusive", **OF_SPEED}, {"speed": SPEED}, {"brand": BRAND}),
        ({"mode": "auxiliary", "operations": ["retrieveOps"]}, None, WHOLE),
        ({"mode": "inclusive"}, None, WHOLE),
    ],
    ids=["inclusive", "redirect", "exclusive", "auxiliary", "not_its_operation"],
)
def test_creation_goes_where_the_mode_says(
    here: TestClient[Any], source: Source, members: Any, sent: Any, kept: Any
) -> None:
    """§4.3.6.2, §4.3.6.3"""
    register(here, source, **members)
    source.lay("POST", "entities", 201)
    answer = here.post("/entities", json=WHOLE)
    assert (answer.status_code, answer.headers["location"]) == (201, f"/ngsi-ld/v1/entities/{CAR}")
    heads = {"id": CAR, "type": "Car"}
    assert local(here) == (None if kept is None else {**heads, **kept})
    bodies = [{k: v for k, v in body.items() if k != "@context"} for _, _, body, _ in source.asked]
    assert bodies == ([] if sent is None else [{**heads, **sent}])


@pytest.mark.parametrize(
    ("is_here", "status", "wanted", "errors"),
    [
        (False, 201, 201, []),
        (True, 201, 207, [409]),
        (False, 409, 207, [409]),
        (False, 500, 207, [500]),
        (True, 409, 207, [409, 409]),
    ],
)
def test_partial_success_names_each_error(
    here: TestClient[Any], source: Source, is_here: bool, status: int, wanted: int, errors: Any
) -> None:
    """§6.4.3.1"""
    if is_here:
        here.post("/entities", json=WHOLE)
    found = register(here, source, **ALL)
    source.lay("POST", "entities", status)
    answer = here.post("/entities", json=WHOLE)
    assert answer.status_code == wanted
    if wanted == 207:
        assert [each["error"]["status"] for each in answer.json()["errors"]] == errors
        assert answer.json()["success"] == []  # it is not done while a part of it is not (§5.2.16)
        there = [each.get("registrationId") for each in answer.json()["errors"]]
        assert there == ([None] if is_here else []) + ([found] if status > 201 else [])


WRITES = [
    ("PATCH", "", {"speed": {"value": 1}, "brand": {"value": "B"}}, {"speed": {"value": 1}}),
    (
        "PATCH",
        "/attrs",
        {"speed": {"type": "Property", "value": 1}, "brand": BRAND},
        {"speed": {"type": "Property", "value": 1}},
    ),
    ("POST", "/attrs", {"speed": SPEED, "fuel": SPEED}, {"speed": SPEED}),
    ("PUT", "", WHOLE, {"id": CAR, "type": "Car", "speed": SPEED}),
    ("PATCH", "/attrs/speed", {"value": 1}, {"value": 1}),
    ("PUT", "/attrs/speed", SPEED, SPEED),
    ("DELETE", "/attrs/speed", None, None),
]


@pytest.mark.parametrize(("method", "path", "body", "sent"), WRITES)
def test_change_of_what_another_holds_goes_there_and_the_rest_stays(
    here: TestClient[Any], source: Source, method: str, path: str, body: Any, sent: Any
) -> None:
    here.post("/entities", json={"id": CAR, "type": "Car", "brand": BRAND})
    register(here, source, mode="exclusive", **OF_SPEED)
    source.lay(method, f"entities/{CAR}{path}" + ("/" if path == "/attrs" else ""), 204)
    answer = here.request(method, f"/entities/{CAR}{path}", json=body)
    assert answer.status_code == 204, answer.text
    slash = "/" if path == "/attrs" else ""
    assert source.lines == [f"{method} entities/{CAR}{path}{slash}"]
    given = source.asked[0][2]
    assert (None if given is None else {k: v for k, v in given.items() if k != "@context"}) == sent
    assert "speed" not in local(here)


def test_deletion_here_and_there(here: TestClient[Any], source: Source) -> None:
    here.post("/entities", json=WHOLE)
    register(here, source, **ALL)
    answer = here.delete(f"/entities/{CAR}")
    assert (answer.status_code, answer.json()["errors"][0]["error"]["status"]) == (207, 404)
    again = here.delete(f"/entities/{CAR}").json()
    assert [each["error"]["status"] for each in again["errors"]] == [404, 404]
    source.lay("DELETE", f"entities/{CAR}", 204)
    here.post("/entities?local=true", json=WHOLE)
    assert here.delete(f"/entities/{CAR}").status_code == 204
    assert local(here) is None


@pytest.mark.parametrize("operation", ["create", "upsert"])
def test_batch_sends_each_source_its_part_in_one_call(here: TestClient[Any], source: Source, operation: str) -> None:
    register(here, source, mode="redirect", entity={"idPattern": "urn:next:.*"}, **ALL)
    source.lay("POST", f"entityOperations/{operation}", 201)
    batch = [WHOLE, *({"id": f"urn:next:{n}", "type": "Car", "speed": SPEED} for n in range(2))]
    answer = here.post(f"/entityOperations/{operation}", json=batch)
    assert (answer.status_code, answer.json()) == (201, [CAR, "urn:next:0", "urn:next:1"])
    assert [each["id"] for each in source.asked[0][2]] == ["urn:next:0", "urn:next:1"]
    assert [each["id"] for each in here.get("/entities?type=Car&local=true").json()] == [CAR]


def test_batch_that_a_source_refuses_names_its_entities(here: TestClient[Any], source: Source) -> None:
    register(here, source, mode="redirect", entity={"idPattern": "urn:next:.*"}, **ALL)
    source.lay("POST", "entityOperations/delete", 400, {"type": "x", "title": "no", "detail": "no"})
    here.post("/entities", json=WHOLE)
    answer = here.post("/entityOperations/delete", json=[CAR, "urn:next:1"])
    assert (answer.status_code, answer.json()["success"]) == (207, [CAR])
    assert [each["entityId"] for each in answer.json()["errors"]] == ["urn:next:1"]


def test_request_that_came_through_here_is_a_loop(here: TestClient[Any], source: Source) -> None:
    """§6.3.18"""
    register(here, source, **ALL)
    source.lay("POST", "entities", 201)
    here.post("/entities", json=WHOLE, headers={"via": "1.1 urn:other:broker"})
    via = source.asked[0][3]["via"]
    assert via.startswith("1.1 urn:other:broker, 1.1 urn:ngsi-ld:ContextSource:")
    for method, path in (("DELETE", f"/entities/{CAR}"), ("GET", f"/entities/{CAR}"), ("GET", "/entities?type=Car")):
        assert here.request(method, path, headers={"via": via}).status_code == 508
    assert len(source.asked) == 1


def test_source_for_its_own_data_alone_is_asked_locally(here: TestClient[Any], source: Source) -> None:
    register(here, source, localOnly=True)
    here.get(f"/entities/{CAR}")
    assert source.lines == [f"GET entities/{CAR}?local=true"]


def test_expired_or_deleted_registration_is_not_asked(here: TestClient[Any], source: Source) -> None:
    found = register(here, source)
    here.delete(f"/csourceRegistrations/{found}")
    here.get(f"/entities/{CAR}")
    assert source.asked == []


def test_personal_entities_neither_leave_nor_come_in(
    here: TestClient[Any], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    car = "https://uri.etsi.org/ngsi-ld/default-context/Car"
    for module in ("gathering", "portions"):
        monkeypatch.setattr(f"sanpo.broker.ngsi_ld.{module}.personal_types", lambda city: {car: None})
    register(here, source, **ALL)
    source.lay("GET", f"entities/{CAR}", 200, WHOLE)
    source.lay("GET", "entities", 200, [WHOLE])
    assert here.get(f"/entities/{CAR}").status_code == 404
    assert here.get("/entities?type=Car").json() == []
    here.post("/entities", json=WHOLE)
    here.delete("/entities?type=Car")
    assert [line for line in source.lines if not line.startswith("GET")] == []


@pytest.mark.parametrize(
    ("operation", "line"),
    [
        ("retrieveEntity", f"GET entities/{CAR}?attrs=speed"),
        ("queryEntity", f"GET entities?type=Car&attrs=speed&id={CAR}"),
        ("queryBatch", "POST entityOperations/query"),
    ],
)
def test_entity_is_retrieved_by_what_the_source_serves(
    here: TestClient[Any], source: Source, operation: str, line: str
) -> None:
    """§5.7.1.4, and of it no more than the registration names (§4.3.6.1)."""
    register(here, source, information={"propertyNames": ["speed"]}, operations=[operation])
    held = {"id": CAR, "type": "Car", "speed": SPEED}
    source.lay(line.split()[0], line.split()[1].partition("?")[0], 200, held)
    assert here.get(f"/entities/{CAR}").json() == held
    assert source.lines == [line]
    if operation == "queryBatch":
        asked = {name: each for name, each in source.asked[0][2].items() if name != "@context"}
        assert asked == {"type": "Query", "entities": [{"type": "Car", "id": CAR}], "attrs": ["speed"]}


def test_query_is_asked_as_the_source_takes_it(here: TestClient[Any], source: Source) -> None:
    register(here, source, operations=["queryBatch"])
    source.lay("POST", "entityOperations/query", 200, [WHOLE])
    place = "georel=within&geometry=Point&coordinates=[1,2]"
    assert here.get(f"/entities?type=Car&q=speed>20&jsonKeys=speed&{place}").status_code == 200
    asked = source.asked[0][2]
    assert (asked["entities"], asked["q"], asked["geoQ"]["georel"]) == ([{"type": "Car"}], "speed>20", "within")
    assert asked["jsonKeys"] == "speed"


def test_query_by_post_is_asked_in_the_url_of_a_source_that_takes_no_other(
    here: TestClient[Any], source: Source
) -> None:
    register(here, source, operations=["queryEntity"])
    source.lay("GET", "entities", 200, [WHOLE])
    asked = {"type": "Query", "entities": [{"type": "Car", "id": CAR}], "q": "speed>20"}
    assert here.post("/entityOperations/query", json=asked).json() == [WHOLE]
    assert source.lines == [f"GET entities?q=speed%3E20&type=Car&id={CAR}"]


def test_answer_that_is_too_long_is_no_valid_one(
    here: TestClient[Any], source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """§6.3.17"""
    monkeypatch.setattr("sanpo.broker.ngsi_ld.forwarding.MOST_ANSWER_BYTES", 20)
    register(here, source)
    source.lay("GET", "entities", 200, [WHOLE])
    answer = here.get("/entities?type=Car")
    assert (answer.json(), answer.headers["ngsild-warning"][:3]) == ([], "111")


def test_source_is_spoken_to_as_it_says(here: TestClient[Any], source: Source) -> None:
    """§4.3.6.6"""
    info = [{"key": "contentType", "value": "application/json"}, {"key": "accept", "value": "application/ld+json"}]
    register(here, source, contextSourceInfo=info, **ALL)
    source.lay("POST", "entities", 201)
    assert here.post("/entities", json=WHOLE).status_code == 201
    _, _, body, headers = source.asked[0]
    assert (body, headers["content-type"], headers["accept"]) == (WHOLE, "application/json", "application/ld+json")
    assert ("ngsi-ld-core-context" in headers["link"], "contenttype" in headers) == (True, False)


@pytest.mark.parametrize(("mode", "status", "is_here"), [("redirect", 409, False), ("inclusive", 201, True)])
def test_creation_that_a_proxy_does_not_serve_is_a_conflict(
    here: TestClient[Any], source: Source, mode: str, status: int, is_here: bool
) -> None:
    """§5.6.1.4"""
    register(here, source, mode=mode, operations=["retrieveOps"])
    answer = here.post("/entities", json=WHOLE)
    assert answer.status_code == status
    assert is_here or answer.json()["type"].endswith("errors/Conflict")
    assert (local(here) is not None, source.asked) == (is_here, [])


def test_deletion_that_a_proxy_does_not_serve_is_done_here_alone(here: TestClient[Any], source: Source) -> None:
    """§5.6.6.4"""
    register(here, source, mode="exclusive", **{**OF_SPEED, "operations": ["queryEntity"]})
    here.post("/entities?local=true", json=WHOLE)
    answer = here.delete(f"/entities/{CAR}")
    assert (answer.status_code, answer.json()["errors"][0]["error"]["status"]) == (207, 409)
    assert local(here) is None


@pytest.mark.parametrize(("status", "wanted"), [(204, 204), (404, 204), (500, 207)])
def test_purge_is_done_here_and_there(here: TestClient[Any], source: Source, status: int, wanted: int) -> None:
    """§5.6.21.4"""
    found = register(here, source, mode="redirect", **ALL)
    here.post("/entities?local=true", json=WHOLE)
    source.lay("DELETE", "entities", status)
    answer = here.delete("/entities?type=Car")
    assert (answer.status_code, source.lines) == (wanted, ["DELETE entities?type=Car"])
    if wanted == 207:
        assert [each["registrationId"] for each in answer.json()["errors"]] == [found]
    assert local(here) is None


@pytest.mark.parametrize(("split", "found"), [("", []), ("&splitEntities=true", [{"brand": BRAND, "speed": SPEED}])])
def test_split_entities_are_filtered_once_they_are_whole(
    here: TestClient[Any], source: Source, split: str, found: Any
) -> None:
    """§5.7.2.4: the filters do not go to the source, which holds but a part."""
    here.post("/entities", json={"id": CAR, "type": "Car", "brand": BRAND})
    here.post("/entities", json={"id": f"{CAR}0", "type": "Car", "brand": BRAND})
    register(here, source, information={"propertyNames": ["speed"]})
    asked_whole = [{"id": CAR, "type": "Car", "speed": SPEED}] if split else []
    source.lay("GET", "entities", 200, asked_whole)
    source.lay("POST", "entityOperations/query", 200, asked_whole)
    answer = here.get(f"/entities?type=Car&q=speed>20;brand==%22A%22&count=true{split}")
    heads = {"id": CAR, "type": "Car"}
    assert answer.json() == [{**heads, **each} for each in found]
    assert answer.headers["ngsild-results-count"] == str(len(found))
    assert ("q=" in source.lines[0]) is not bool(split)
    posted = {"type": "Query", "entities": [{"type": "Car"}], "q": 'speed>20;brand=="A"', "splitEntities": bool(split)}
    assert here.post("/entityOperations/query", json=posted).json() == [{**heads, **each} for each in found]
    assert ("q" in source.asked[1][2]) is not bool(split)


def test_body_goes_under_the_context_that_the_source_wants(here: TestClient[Any], source: Source) -> None:
    """§4.3.6.6: the same meaning, without an @context in the body."""
    theirs = {"Auto": "urn:x:Car", "tempo": "urn:x:speed", "unit": "urn:x:unit", "rot": "urn:x:red"}
    made = here.post("/jsonldContexts", json={"@context": theirs})
    assert made.status_code == 201, made.text
    url = f"{str(here.base_url).rstrip('/').removesuffix('/ngsi-ld/v1')}{made.headers['location']}"
    ours = {"Car": "urn:x:Car", "speed": "urn:x:speed", "measure": "urn:x:unit", "red": "urn:x:red"}
    register(
        here, source, contextSourceInfo=[{"key": "jsonldContext", "value": url}], **ALL, entity={"type": "urn:x:Car"}
    )
    source.lay("POST", "entities", 201)
    entity = {
        "id": CAR,
        "type": "Car",
        "speed": {**SPEED, "measure": {"type": "Property", "value": {"measure": 1}}},
        "color": {"type": "VocabProperty", "vocab": "red"},
        "@context": ours,
    }
    answer = here.post("/entities", content=json.dumps(entity), headers={"content-type": "application/ld+json"})
    assert answer.status_code == 201, answer.text
    _, _, body, headers = source.asked[0]
    assert body == {
        "id": CAR,
        "type": "Auto",
        "tempo": {**SPEED, "unit": {"type": "Property", "value": {"measure": 1}}},
        "color": {"type": "VocabProperty", "vocab": "rot"},
    }
    assert (headers["content-type"], url in headers["link"]) == ("application/json", True)
    here.patch(f"/entities/{CAR}/attrs/speed", json={"value": 1})
    assert url not in source.asked[1][3].get("link", "")
