"""Distributed writes: who holds what, and what an answer says of its parts (ETSI GS CIM 009 §4.3.6, §5.2.16 to §5.2.19)."""

import json
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.registrations import actions
from sanpo.broker.registrations.errors import EntityIsHeldHere
from sanpo.broker.sight import OPEN
from tests.broker.registrations.conftest import Source, register

CAR = "urn:ngsi-ld:Car:1"
SPEED = {"type": "Property", "value": 80}
BRAND = {"type": "Property", "value": "A"}
WHOLE = {"id": CAR, "type": "Car", "speed": SPEED, "brand": BRAND}
ALL = {"operations": ["redirectionOps"]}
LD = {"content-type": "application/ld+json"}
IRI = "https://uri.etsi.org/ngsi-ld/default-context/"


def claim(mode: str, names: list[str], **entity: str) -> dict[str, Any]:
    information: dict[str, Any] = {"entities": [{"type": "Car", **entity}]}
    if names:
        information["propertyNames"] = names
    return {
        "type": "ContextSourceRegistration",
        "mode": mode,
        "endpoint": "http://a.example",
        "information": [information],
    }


@pytest.mark.parametrize(
    ("mode", "names", "entity", "status"),
    [
        ("redirect", [], {}, 409),
        ("redirect", [], {"idPattern": "Car"}, 409),
        ("redirect", ["speed"], {"id": CAR}, 409),
        ("redirect", ["fuel"], {}, 201),
        ("redirect", [], {"idPattern": "Bus"}, 201),
        ("exclusive", ["speed", "fuel"], {"id": CAR}, 409),
        ("exclusive", ["fuel"], {"id": CAR}, 201),
        ("inclusive", [], {}, 201),
        ("auxiliary", [], {}, 201),
    ],
)
def test_what_is_held_here_no_proxy_can_take(
    here: TestClient[Any], mode: str, names: list[str], entity: Any, status: int
) -> None:
    """§5.9.2.4"""
    here.post("/entities", json=WHOLE)
    data = claim(mode, names, **entity)
    if mode == "auxiliary":
        data["operations"] = ["retrieveOps"]
    answer = here.post("/csourceRegistrations", json=data)
    assert answer.status_code == status, answer.text
    assert status == 201 or CAR in answer.json()["detail"]


def test_claim_names_what_is_held_here(here: TestClient[Any], web: Any) -> None:
    here.post("/entities", json=WHOLE)
    with pytest.raises(EntityIsHeldHere) as refused:
        actions.register(Place(web.state.city, OPEN), claim("redirect", []), CORE)
    assert refused.value.fields == {"entity_id": CAR}


def test_update_cannot_take_what_is_held_here(here: TestClient[Any], source: Source) -> None:
    """§5.9.3.4"""
    here.post("/entities", json=WHOLE)
    found = register(here, source, information={"propertyNames": ["speed"]}, entity={"id": CAR})
    assert here.patch(f"/csourceRegistrations/{found}", json={"mode": "exclusive"}).status_code == 409
    here.delete(f"/entities/{CAR}?local=true")
    assert here.patch(f"/csourceRegistrations/{found}", json={"mode": "exclusive"}).status_code == 204


def test_proxy_of_any_entity_meets_an_exclusive_one(here: TestClient[Any], source: Source) -> None:
    """§4.3.6.3"""
    register(here, source, mode="exclusive", information={"propertyNames": ["speed"]}, entity={"id": CAR})
    data = claim("redirect", ["speed"])
    del data["information"][0]["entities"]
    assert here.post("/csourceRegistrations", json=data).status_code == 409


@pytest.mark.parametrize(
    ("status", "body", "wanted"),
    [
        (204, None, None),
        (404, None, ["speed", "fuel"]),
        (207, None, ["speed", "fuel"]),
        (207, {"updated": [], "notUpdated": [{"attributeName": "fuel", "reason": "no"}]}, ["fuel"]),
    ],
)
def test_attributes_that_a_source_does_not_take_are_named(
    here: TestClient[Any], source: Source, status: int, body: Any, wanted: Any
) -> None:
    """§5.2.18, §5.2.19: only what was done everywhere is updated."""
    here.post("/entities", json=WHOLE)
    found = register(here, source, information={"propertyNames": ["speed", "fuel"]}, **ALL)
    source.lay("POST", f"entities/{CAR}/attrs/", status, body)
    answer = here.post(f"/entities/{CAR}/attrs", json={"speed": SPEED, "fuel": SPEED, "brand": BRAND})
    assert answer.status_code == (207 if wanted else 204)
    if wanted:
        told = answer.json()
        assert [(each["attributeName"], each["registrationId"]) for each in told["notUpdated"]] == [
            (IRI + name, found) for name in wanted
        ]
        assert told["updated"] == [IRI + name for name in ("speed", "fuel", "brand") if name not in wanted]


def test_two_proxies_that_do_a_part_are_told_of(here: TestClient[Any], source: Source) -> None:
    for _ in range(2):
        register(here, source, mode="redirect", **ALL)
    source.lay("POST", f"entities/{CAR}/attrs/", 207)
    answer = here.post(f"/entities/{CAR}/attrs?options=noOverwrite", json={"speed": SPEED})
    assert (answer.status_code, len(answer.json()["notUpdated"]), answer.json()["updated"]) == (207, 2, [])


def test_one_part_alone_answers_with_its_error(here: TestClient[Any], source: Source) -> None:
    register(here, source, mode="redirect", **ALL)
    source.lay("PATCH", f"entities/{CAR}", 422, {"type": "x", "title": "no", "detail": "why"})
    answer = here.patch(f"/entities/{CAR}", json={"speed": SPEED})
    assert (answer.status_code, answer.json()["detail"]) == (422, "why")


def test_what_cannot_be_read_is_sent_to_nobody(here: TestClient[Any], source: Source) -> None:
    """§5.5.4"""
    register(here, source, **ALL)
    assert here.post("/entities", json={**WHOLE, "speed": {"type": "Property"}}).status_code == 400
    assert here.patch(f"/entities/{CAR}", json={"speed": {"type": "Relationship", "object": 1}}).status_code == 400
    bad = {"id": "urn:x:2", "type": "Car", "speed": {"type": "Property"}}
    source.lay("POST", "entityOperations/create", 201)
    answer = here.post("/entityOperations/create", json=[WHOLE, bad])
    assert [each["entityId"] for each in answer.json()["errors"]] == ["urn:x:2"]
    assert [[each["id"] for each in body] for _, _, body, _ in source.asked] == [[CAR]]


def test_copy_leaves_out_what_another_holds_for_itself(here: TestClient[Any], source: Source) -> None:
    """§5.6.1.4"""
    register(here, source, mode="exclusive", information={"propertyNames": ["speed"]}, entity={"id": CAR}, **ALL)
    register(here, source, **ALL)
    source.lay("POST", "entities", 201)
    source.lay("POST", "entityOperations/upsert", 204)
    here.post("/entities", json=WHOLE)
    here.post("/entityOperations/upsert", json=[WHOLE])
    bodies = [body if isinstance(body, dict) else body[0] for _, _, body, _ in source.asked]
    assert sorted(("speed" in each, "brand" in each) for each in bodies) == [(False, True)] * 2 + [(True, False)] * 2


def test_deletion_of_what_a_proxy_holds_needs_nothing_here(here: TestClient[Any], source: Source) -> None:
    """§5.6.6.4: what is here goes too, and need not be here."""
    register(here, source, mode="redirect", **ALL)
    source.lay("DELETE", f"entities/{CAR}", 204)
    source.lay("POST", "entityOperations/delete", 204)
    for _ in range(2):
        here.post("/entities?local=true", json=WHOLE)
        assert here.delete(f"/entities/{CAR}").status_code == 204
        assert here.get(f"/entities/{CAR}?local=true").status_code == 404
        assert here.delete(f"/entities/{CAR}").status_code == 204
        assert here.post("/entityOperations/delete", json=[CAR]).status_code == 204


def test_batch_goes_under_the_context_of_each_entity(here: TestClient[Any], source: Source) -> None:
    register(here, source, entity={"type": "urn:x:Car"}, **ALL)
    source.lay("POST", "entityOperations/create", 201)
    batch = [
        {"id": f"urn:x:{n}", "type": "Car", name: SPEED, "@context": {"Car": "urn:x:Car", name: "urn:x:speed"}}
        for n, name in enumerate(("speed", "tempo", "speed"))
    ]
    answer = here.post("/entityOperations/create", content=json.dumps(batch), headers=LD)
    assert (answer.status_code, len(answer.json())) == (201, 3)
    sent = sorted(([each["id"] for each in body] for _, _, body, _ in source.asked), key=len)
    assert sent == [["urn:x:1"], ["urn:x:0", "urn:x:2"]]
    for _, _, body, _ in source.asked:
        assert all(each["@context"]["tempo" if "tempo" in each else "speed"] == "urn:x:speed" for each in body)


@pytest.mark.parametrize(
    ("batch", "serves", "line"),
    [
        ("create", "createEntity", "POST entities"),
        ("merge", "mergeEntity", f"PATCH entities/{CAR}"),
        ("update", "updateEntity", f"PATCH entities/{CAR}/attrs/"),
        ("update?options=noOverwrite", "appendAttrs", f"POST entities/{CAR}/attrs/?options=noOverwrite"),
        ("upsert", "replaceEntity", f"PUT entities/{CAR}"),
        ("upsert?options=update", "updateEntity", f"PATCH entities/{CAR}/attrs/"),
        ("delete", "deleteEntity", f"DELETE entities/{CAR}"),
    ],
)
def test_source_that_serves_no_batch_gets_each_entity(
    here: TestClient[Any], source: Source, batch: str, serves: str, line: str
) -> None:
    """§5.6.7.4 to §5.6.10.4, §5.6.20.4"""
    found = register(here, source, mode="redirect", operations=[serves])
    method, path = line.split()
    source.lay(method, path.partition("?")[0], 204)
    ids = [CAR, "urn:x:2"]
    answer = here.post(
        f"/entityOperations/{batch}", json=ids if batch == "delete" else [{**WHOLE, "id": each} for each in ids]
    )
    wanted = 204 if batch == "create" else 207
    assert (line in source.lines, answer.status_code) == (True, wanted)
    if wanted == 207:
        told = answer.json()
        assert [(each["entityId"], each["registrationId"]) for each in told["errors"]] == [("urn:x:2", found)]
        assert told["success"] == [CAR]


@pytest.mark.parametrize(("status", "wanted"), [(201, ["POST"]), (409, ["POST", "PUT"])])
def test_upsert_replaces_what_a_source_has_already(
    here: TestClient[Any], source: Source, status: int, wanted: list[str]
) -> None:
    """§5.6.8.4"""
    register(here, source, mode="redirect", operations=["createEntity", "replaceEntity"])
    source.lay("POST", "entities", status)
    source.lay("PUT", f"entities/{CAR}", 204)
    answer = here.post("/entityOperations/upsert", json=[WHOLE])
    assert answer.status_code == (201 if status == 201 else 204)
    assert [line.split()[0] for line in source.lines] == wanted


def test_batch_names_an_entity_once_all_its_parts_are_done(here: TestClient[Any], source: Source) -> None:
    """§5.2.16"""
    found = register(here, source, **ALL)
    told = {"success": [CAR], "errors": [{"entityId": "urn:x:2", "error": {"type": "x", "title": "no", "status": 400}}]}
    source.lay("POST", "entityOperations/create", 207, told)
    answer = here.post("/entityOperations/create", json=[WHOLE, {**WHOLE, "id": "urn:x:2"}]).json()
    assert answer["success"] == [CAR]
    assert [(each["entityId"], each["registrationId"]) for each in answer["errors"]] == [("urn:x:2", found)]


AT = {**SPEED, "observedAt": "2026-02-01T01:00:00Z"}
REMEMBERED = f"temporal/entities/{CAR}"
HISTORIES = [
    ("upsertTemporal", "POST", "temporal/entities", {"id": CAR, "type": "Car", "speed": AT, "brand": AT}),
    ("appendAttrsTemporal", "POST", f"{REMEMBERED}/attrs/", {"speed": AT}),
    ("deleteAttrsTemporal", "DELETE", f"{REMEMBERED}/attrs/speed", None),
    ("updateAttrInstanceTemporal", "PATCH", f"{REMEMBERED}/attrs/speed/urn:x:1", {"speed": [AT]}),
    ("updateAttrsTemporal", "PATCH", f"{REMEMBERED}/attrs/speed/urn:x:1", {"speed": [AT]}),
    ("deleteAttrInstanceTemporal", "DELETE", f"{REMEMBERED}/attrs/speed/urn:x:1", None),
    ("deleteTemporal", "DELETE", REMEMBERED, None),
]


@pytest.mark.parametrize(("operation", "method", "path", "body"), HISTORIES)
def test_write_to_a_history_goes_to_who_remembers_it(
    here: TestClient[Any], source: Source, operation: str, method: str, path: str, body: Any
) -> None:
    """§5.6.11 to §5.6.16"""
    register(here, source, mode="redirect", operations=[operation])
    source.lay(method, path, 204)
    answer = here.request(method, "/" + path.rstrip("/"), json=body)
    assert (answer.status_code, source.lines) == (204, [f"{method} {path}"])
    assert here.get(f"/{REMEMBERED}?local=true").status_code == 404


def test_history_that_cannot_be_read_is_sent_to_nobody(here: TestClient[Any], source: Source) -> None:
    register(here, source, operations=["upsertTemporal"])
    assert (
        here.post("/temporal/entities", json={"id": CAR, "type": "Car", "speed": {"type": "Property"}}).status_code
        == 400
    )
    assert source.asked == []


def test_observations_stay_here(here: TestClient[Any], source: Source) -> None:
    """Sanpo's own operation, which no other source knows."""
    register(here, source, mode="redirect", operations=["appendAttrsTemporal", "upsertTemporal"])
    here.post("/entities?local=true", json=WHOLE)
    here.post("/temporal/entityOperations/observations", json=[{"id": CAR, "type": "Car", "speed": AT}])
    assert source.asked == []


@pytest.mark.parametrize("group", ["federationOps", "associationOps", "redirectionOps", "retrieveOps", "updateOps"])
def test_group_of_operations_is_known(here: TestClient[Any], group: str) -> None:
    """Table 4.20-2"""
    data = {
        **claim("inclusive", []),
        "operations": [group, "createEntityMapQueryTemporal", "updateAttrInstanceTemporal"],
    }
    assert here.post("/csourceRegistrations", json=data).status_code == 201
