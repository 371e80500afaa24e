"""Contexts that have no URL of their own get one (ETSI GS CIM 009 §5.2.12, §5.13.1, §6.3.6)."""

from typing import Any

import pytest
from litestar.testing import TestClient

LD = {"content-type": "application/ld+json"}
SUBSCRIPTION = {
    "id": "urn:ngsi-ld:Subscription:1",
    "type": "Subscription",
    "entities": [{"type": "Bench"}],
    "notification": {"endpoint": {"uri": "http://receiver.example/notify"}},
}
PATH = f"/subscriptions/{SUBSCRIPTION['id']}"
CORE = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context-v1.8.jsonld"
ONE, TWO = {"Bench": "https://a.example/Bench"}, {"seats": "https://a.example/seats"}


def subscribe(broker: TestClient[Any], context: Any) -> Any:
    made = broker.post("/subscriptions", json={**SUBSCRIPTION, "@context": context}, headers=LD)
    assert made.status_code == 201, made.text
    return broker.get(PATH).json().get("jsonldContext")


def implicit(broker: TestClient[Any]) -> list[Any]:
    found: list[Any] = broker.get("/jsonldContexts?details=true&kind=ImplicitlyCreated").json()
    return found


def test_subscription_shows_the_address_of_its_contexts(broker: TestClient[Any]) -> None:
    url = subscribe(broker, [ONE, TWO])
    (listed,) = implicit(broker)
    assert (listed["URL"], listed["kind"]) == (url, "ImplicitlyCreated")
    local_id = url.rsplit("/", 1)[-1]
    assert broker.get(f"/jsonldContexts/{local_id}").json() == {"@context": [ONE, TWO]}
    assert broker.delete(f"/jsonldContexts/{local_id}?reload=true").status_code == 400  # §5.13.5.4
    assert broker.delete(f"/jsonldContexts/{local_id}").status_code == 204


def test_uses_of_an_implicit_context_are_counted(broker: TestClient[Any]) -> None:
    url = subscribe(broker, [ONE, TWO])
    made = {"id": "urn:ngsi-ld:Bench:1", "type": "Bench", "seats": 3, "@context": [url]}
    assert broker.post("/entities", json=made, headers=LD).status_code == 201
    details = f"/jsonldContexts/{url.rsplit('/', 1)[-1]}?details=true"
    assert [broker.get(details).json()["numberOfHits"] for _ in range(2)] == [1, 2]


@pytest.mark.parametrize("context", [CORE, [CORE], [None, CORE]])
def test_context_that_has_a_url_is_not_created(broker: TestClient[Any], context: Any) -> None:
    assert subscribe(broker, context) is None
    assert implicit(broker) == []


def test_address_follows_the_context_of_an_update(broker: TestClient[Any]) -> None:
    first = subscribe(broker, [ONE, TWO])
    changed = {"description": "d", "@context": [TWO, ONE]}
    assert broker.patch(PATH, json=changed, headers=LD).status_code == 204
    second = broker.get(PATH).json()["jsonldContext"]
    assert second != first
    assert broker.patch(PATH, json={**changed, "@context": CORE}, headers=LD).status_code == 204
    assert "jsonldContext" not in broker.get(PATH).json()
    own = {"description": "d", "jsonldContext": CORE, "@context": [ONE, TWO]}
    assert broker.patch(PATH, json=own, headers=LD).status_code == 204
    assert broker.get(PATH).json()["jsonldContext"] == CORE


def test_answer_names_one_url_for_an_inline_context(broker: TestClient[Any]) -> None:
    broker.post("/entities", json={"id": "urn:ngsi-ld:Bench:1", "type": "Bench", "@context": ONE}, headers=LD)
    asked = {"type": "Query", "entities": [{"type": "Bench"}], "@context": [ONE, TWO]}
    for _ in range(2):
        found = broker.post("/entityOperations/query", json=asked, headers=LD)
        assert [each["type"] for each in found.json()] == ["Bench"]
        (listed,) = implicit(broker)
        assert found.headers["link"].startswith(f"<{listed['URL']}>;")
    named = broker.post(
        "/entityOperations/query", json={**asked, "@context": [ONE, TWO]}, headers={**LD, "accept": LD["content-type"]}
    )
    assert named.json()[0]["@context"] == [ONE, TWO]
