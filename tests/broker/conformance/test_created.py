"""Contexts and proofs of what is created (ETSI GS CIM 009 §4.4, §4.5.2.2, §5.5.5, §5.5.7); the rest is in `test_reading`."""

from typing import Any

import pytest
from litestar.testing import TestClient

ID = "urn:ngsi-ld:Bench:1"
PATH = f"/entities/{ID}"
BAD_DATA = "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
NULL = "urn:ngsi-ld:null"
LD = {"content-type": "application/ld+json"}
POINT = {"type": "Point", "coordinates": [135.5, 34.7]}


def create(broker: TestClient[Any], members: dict[str, Any]) -> Any:
    return broker.post("/entities", json={"id": ID, "type": "Bench", **members})


def test_proof_alone_has_sealed_members(broker: TestClient[Any]) -> None:
    proof = {
        "type": "Property",
        "value": {"type": "DataIntegrityProof", "proofValue": "zQeV"},
        "entityIdSealed": ID,
        "entityTypeSealed": "Bench",
    }
    assert create(broker, {"ngsildproof": proof}).status_code == 201  # §4.5.2.2, annex C.11
    assert broker.get(PATH).json()["ngsildproof"] == proof
    path = f"{PATH}/attrs/ngsildproof"
    assert broker.patch(path, json={"entityTypeSealed": "Chair"}).status_code == 204
    assert broker.get(PATH).json()["ngsildproof"] == {**proof, "entityTypeSealed": "Chair"}
    assert broker.patch(path, json={"type": "Property", "value": NULL}).status_code == 204
    assert "ngsildproof" not in broker.get(PATH).json()


def test_context_of_a_request_decides_what_names_mean(broker: TestClient[Any]) -> None:
    made = {"id": ID, "type": "Bench", "seats": 3, "@context": [{"Bench": "https://a.example/Bench"}]}
    assert broker.post("/entities", json=made, headers=LD).status_code == 201
    found = broker.get(PATH).json()
    assert found["type"] == "https://a.example/Bench"  # §5.5.7: what no term stands for is written in full
    assert broker.get("/entities?type=Bench").json() == []
    hosted = broker.post("/jsonldContexts", json={"@context": {"seats": "https://a.example/seats"}}).headers["location"]
    link = f'<http://sanpo.example{hosted}>; rel="http://www.w3.org/ns/json-ld#context"'
    shown = broker.get(PATH, headers={"link": link}).json()
    assert shown["ngsi-ld:default-context/seats"]["value"] == 3  # `seats` means something else here


@pytest.mark.parametrize(
    "context",
    [
        {"Bench": {"@id": "https://a.example/Bench", "@context": {"seats": "https://a.example/s"}}},  # §5.5.7
        "/contexts/bench.jsonld",
        5,
    ],
)
def test_context_that_is_none_is_refused(broker: TestClient[Any], context: Any) -> None:
    answer = broker.post("/entities", json={"id": ID, "type": "Bench", "@context": context}, headers=LD)
    assert answer.json()["type"] == BAD_DATA
    assert broker.get(PATH).status_code == 404


def test_core_terms_stay_what_they_are(broker: TestClient[Any]) -> None:
    context = [{"Property": "https://evil.example/Property", "location": "https://evil.example/location"}]
    made = {
        "id": ID,
        "type": "Bench",
        "seats": {"type": "Property", "value": 3},
        "location": POINT,
        "@context": context,
    }
    assert broker.post("/entities", json=made, headers=LD).status_code == 201  # §4.4
    found = broker.get(PATH, headers={"accept": "application/ld+json"}).json()
    assert (found["seats"]["type"], found["location"]["type"]) == ("Property", "GeoProperty")
    assert "ngsi-ld-core-context" in found["@context"]  # §5.5.5


@pytest.mark.parametrize("members", [{"kind": "x"}, {"seats": {"value": 3, "kind": 1}}, {"type": "kind"}])
def test_name_of_a_keyword_is_refused(broker: TestClient[Any], members: dict[str, Any]) -> None:
    made = {"id": ID, "type": "Bench", **members, "@context": {"kind": "@type"}}
    assert broker.post("/entities", json=made, headers=LD).json()["type"] == BAD_DATA  # §4.6.2
