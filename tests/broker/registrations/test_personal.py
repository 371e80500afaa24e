"""Personal entities and other sources: nothing about them leaves by a write that does not say their type (decision 0015)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts.context import CORE
from sanpo.broker.entities import Place
from sanpo.broker.personal import veiled_id
from sanpo.broker.registrations import actions
from sanpo.ground.actors import System
from sanpo.ground.city import City
from tests.broker.conftest import ROOT
from tests.broker.consented import OPERATOR, Town, build
from tests.broker.registrations.conftest import Source

HISTORIES = ("upsertTemporal", "appendAttrsTemporal", "deleteTemporal")
METER = "urn:ngsi-ld:Meter:0"


@pytest.fixture
def operator(
    web: Any, client: Callable[[], TestClient[Any]], city: City, source: Source, monkeypatch: pytest.MonkeyPatch
) -> TestClient[Any]:
    """Who may write personal entities, in a city where another source claims everything, and answers everything well."""
    town: Town = build(city, 1)
    town.add_meter(0, town.residents, 10)
    claimed = {
        "type": "ContextSourceRegistration",
        "endpoint": source.url,
        "information": [{"entities": [{"type": "Meter"}]}],
        "operations": ["redirectionOps", "federationOps", "retrieveTemporal", "queryTemporal", *HISTORIES],
    }
    actions.register(Place(town.city, OPERATOR), claimed, CORE)
    http = client()
    settings = replace(town.city.settings, broker_open=True, broker_allow_hosts="127.0.0.1")
    web.state.city = replace(town.city, settings=settings)
    monkeypatch.setattr("sanpo.broker.ngsi_ld.serving.actor_in", lambda *given: System("operator"))
    http.base_url = http.base_url.join(ROOT)
    return http


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", f"/entities/{METER}", {"energy": {"type": "Property", "value": 11}}),
        ("PATCH", f"/entities/{METER}/attrs", {"energy": {"type": "Property", "value": 11}}),
        ("POST", f"/entities/{METER}/attrs", {"energy": {"type": "Property", "value": 11}}),
        ("PATCH", f"/entities/{METER}/attrs/energy", {"type": "Property", "value": 11}),
        ("PUT", f"/entities/{METER}/attrs/energy", {"type": "Property", "value": 11}),
        ("DELETE", f"/entities/{METER}/attrs/energy", None),
        ("DELETE", f"/entities/{METER}", None),
        ("POST", "/entityOperations/delete", [METER]),
        ("POST", "/entityOperations/update", [{"id": METER, "energy": {"type": "Property", "value": 11}}]),
        ("POST", "/entityOperations/merge", [{"id": METER, "energy": {"type": "Property", "value": 11}}]),
    ],
)
def test_write_to_a_personal_entity_stays_here(
    operator: TestClient[Any], source: Source, method: str, path: str, body: Any
) -> None:
    assert operator.request(method, path, json=body).status_code == 204
    assert source.asked == []


def test_claim_does_not_tell_that_a_personal_entity_is_here(operator: TestClient[Any], source: Source) -> None:
    """§5.9.2.4 looks at public entities alone: a personal one stays here whatever is claimed."""
    claimed = {
        "type": "ContextSourceRegistration",
        "endpoint": source.url,
        "mode": "redirect",
        "information": [{"entities": [{"type": "Meter", "id": METER}]}],
        "operations": ["redirectionOps"],
    }
    assert operator.post("/csourceRegistrations", json=claimed).status_code == 201
    assert operator.delete(f"/entities/{METER}").status_code == 204
    assert source.asked == []


@pytest.mark.parametrize(
    "path",
    [
        f"/entities/{METER}",
        f"/temporal/entities/{METER}",
        f"/entities?type=Meter&id={METER}",
        f"/entities?type=Car,Meter&id={METER}",
        "/entities?type=Meter",
        f"/temporal/entities?type=Meter&id={METER}&timerel=after&timeAt=2020-01-01T00:00:00Z",
        "/types/Meter",
    ],
)
def test_question_about_a_personal_entity_stays_here(operator: TestClient[Any], source: Source, path: str) -> None:
    operator.get(path)
    assert source.asked == []


def test_history_of_a_personal_entity_that_is_gone_stays_here(operator: TestClient[Any], source: Source) -> None:
    assert operator.delete(f"/entities/{METER}").status_code == 204
    moment = {"type": "Property", "value": 1, "observedAt": "2026-02-01T01:00:00Z"}
    operator.get(f"/temporal/entities/{METER}")
    operator.post(f"/temporal/entities/{METER}/attrs", json={"energy": moment})
    operator.delete(f"/temporal/entities/{METER}")
    assert source.asked == []


def test_id_that_a_recipient_knows_a_personal_entity_by_stays_here(
    operator: TestClient[Any], source: Source, city: City
) -> None:
    known = veiled_id(city, 1, 1)
    operator.get(f"/entities/{known}")
    operator.get(f"/entities?type=Meter,Car&id={known}")
    assert source.asked == []
