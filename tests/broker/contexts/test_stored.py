"""`/jsonldContexts` over HTTP: add, list, serve, delete, reload (ETSI GS CIM 009 §5.13, §6.29, §6.30)."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest
from litestar.testing import TestClient

from sanpo import app
from sanpo.broker.contexts import CORE_CONTEXT_URL, actions, address_of, resolve, resolving
from sanpo.broker.contexts.errors import (
    ContextCannotBeReloaded,
    ContextIsMissing,
    ContextIsNotServed,
    ContextNotFound,
    CoreContextCannotBeDeleted,
)
from sanpo.broker.contexts.usage import WRITES_PER_S
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import SettingIsInvalid
from tests.broker.contexts.documents import ContextServer

MINIMAL = {"@context": {"A1": "urn:ngsi-ld:attributes:A1", "A2": "urn:ngsi-ld:attributes:A2"}}
PREFIX = "/ngsi-ld/v1/jsonldContexts/"
ERRORS = "https://uri.etsi.org/ngsi-ld/errors/"
Broker = TestClient[Any]


def add(broker: Broker, body: Any = MINIMAL, **headers: str) -> str:
    """Adds a context; returns its local identifier."""
    made = broker.post("/jsonldContexts", json=body, headers=headers)
    assert (made.status_code, made.content) == (201, b"")
    location: str = made.headers["location"]
    assert location.startswith(PREFIX)
    return location.removeprefix(PREFIX)


def path(context_id: str, query: str = "") -> str:
    return f"/jsonldContexts/{quote(context_id, safe='')}{query}"


def details(broker: Broker, context_id: str) -> dict[str, Any]:
    found = broker.get(path(context_id, "?details=true"))
    assert found.status_code == 200
    described: dict[str, Any] = found.json()
    return described


def check_problem(reply: Any, status: int, kind: str) -> None:
    assert (reply.status_code, reply.json()["type"]) == (status, ERRORS + kind)
    assert reply.json()["title"] != reply.json()["detail"] != ""
    assert reply.headers["content-type"] == "application/json"


# 5.13.2 Add -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("media_type", ["application/json", "application/ld+json"])
def test_added_context_is_hosted_and_served_as_it_came(broker: Broker, media_type: str) -> None:
    local_id = add(broker, {**MINIMAL, "discarded": True}, **{"content-type": media_type})
    served = broker.get(path(local_id))
    assert (served.status_code, served.json()) == (200, MINIMAL)
    assert served.headers["content-type"] == "application/json"
    assert details(broker, local_id)["kind"] == "Hosted"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b'{"A1": "urn:ngsi-ld:attributes:A1"}', "InvalidRequest"),
        (b'["@context"]', "InvalidRequest"),
        (b'{"@context": {', "InvalidRequest"),
        (b'{"@context": 5}', "BadRequestData"),
        (b'{"@context": true}', "BadRequestData"),
        (b'{"@context": ["https://e.org/x", 5]}', "BadRequestData"),
        (b'{"@context": {"x": {"@id": "https://e.org/x", "@context": {}}}}', "BadRequestData"),
        (b'{"@context": "/relative.jsonld"}', "BadRequestData"),
        (b'{"@context": {"x": "https://e.org/' + b"x" * 3_000 + b'"}}', "BadRequestData"),
        (b'{"@context":' + b'{"x":' * 10_000 + b"1" + b"}" * 10_001, "InvalidRequest"),
    ],
)
def test_what_is_no_context_is_not_added(broker: Broker, body: bytes, kind: str) -> None:
    refused = broker.post("/jsonldContexts", content=body, headers={"content-type": "application/json"})
    check_problem(refused, 400, kind)
    assert "location" not in refused.headers
    assert broker.get("/jsonldContexts?kind=Hosted").json() == []


def test_body_of_5_mb_is_not_added(broker: Broker) -> None:
    body = {"@context": {f"t{n}": "https://e.org/" + "x" * 90 for n in range(50_000)}}
    assert broker.post("/jsonldContexts", json=body).status_code == 413
    smaller = {"@context": dict(list(body["@context"].items())[:15_000])}
    check_problem(broker.post("/jsonldContexts", json=smaller), 400, "BadRequestData")


def test_other_media_type_is_not_read(broker: Broker) -> None:
    assert broker.post("/jsonldContexts", content=b"x", headers={"content-type": "text/plain"}).status_code == 415


def test_documents_that_an_added_context_names_are_cached(reading_broker: Broker, server: ContextServer) -> None:
    url = server.put("/c.jsonld", {"speed": "https://e.org/speed"})
    add(reading_broker, {"@context": [url]})
    assert details(reading_broker, url)["kind"] == "Cached"
    add(reading_broker, {"@context": [url, server.address + "/not-there"]})


def test_added_context_can_be_used_at_once(broker: Broker, open_city: City) -> None:
    url = open_city.settings.origin + PREFIX + add(broker)
    entity = {"id": "urn:x:1", "type": "T", "A1": 5, "@context": [url]}
    headers = {"content-type": "application/ld+json"}
    made = broker.post("/entities", json=entity, headers=headers)
    assert made.status_code == 201, made.text
    found = broker.get("/entities/urn:x:1?options=keyValues").json()
    assert found["urn:ngsi-ld:attributes:A1"] == 5
    link = {"link": f'<{url}>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"'}
    assert broker.get("/entities/urn:x:1?options=keyValues", headers=link).json()["A1"] == 5


# 5.13.3 List ----------------------------------------------------------------------------------------------------------


def test_list_has_urls_of_all_kinds(reading_broker: Broker, reader: City, server: ContextServer) -> None:
    hosted = add(reading_broker)
    cached = server.put("/c.jsonld", {})
    resolve(reader, cached)
    with reader.transaction(System("broker")) as tx:
        created = address_of(tx, [cached, "https://other.example/c.jsonld"])
    url = reader.settings.origin + PREFIX + hosted
    assert reading_broker.get("/jsonldContexts").json() == [CORE_CONTEXT_URL, url, cached, created]
    assert reading_broker.get("/jsonldContexts?details=false&kind=Hosted").json() == [url]
    assert reading_broker.get("/jsonldContexts?kind=Cached").json() == [CORE_CONTEXT_URL, cached]
    assert reading_broker.get("/jsonldContexts?kind=ImplicitlyCreated").json() == [created]


def test_details_have_the_names_of_the_standard(reading_broker: Broker, reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", {}, Cache_Control="max-age=3600")
    resolve(reader, url)
    (listed,) = [each for each in reading_broker.get("/jsonldContexts?details=true").json() if each["URL"] == url]
    assert listed.pop("localId").startswith("urn:ngsi-ld:Context:")
    assert listed == {
        "URL": url,
        "kind": "Cached",
        "createdAt": "2026-04-01T00:00:00.000000Z",
        "expiresAt": "2026-04-01T01:00:00.000000Z",
        "lastUsage": "2026-04-01T00:00:00.000000Z",
        "numberOfHits": 1,
    }
    hosted = details(reading_broker, add(reading_broker))
    assert hosted.keys() == {"URL", "localId", "kind", "createdAt", "numberOfHits"}


@pytest.mark.parametrize("query", ["kind=other", "details=other", "details=true&kind=other", "kind=hosted"])
def test_list_with_a_wrong_parameter_is_refused(broker: Broker, query: str) -> None:
    check_problem(broker.get(f"/jsonldContexts?{query}"), 400, "BadRequestData")


def test_unknown_parameter_is_refused(broker: Broker) -> None:
    check_problem(broker.get("/jsonldContexts?limit=5"), 400, "InvalidRequest")


# 5.13.4 Serve ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["", "?details=false", "?details=true"])
@pytest.mark.parametrize("context_id", ["wrong", "https://e.org/x", "urn:ngsi-ld:Context:ctx_0", "%", "../x"])
def test_context_that_is_not_stored_is_not_found(broker: Broker, context_id: str, query: str) -> None:
    check_problem(broker.get(path(context_id, query)), 404, "ResourceNotFound")


def test_cached_context_is_not_served(reading_broker: Broker, reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", {})
    resolve(reader, url)
    for context_id in (url, details(reading_broker, url)["localId"], CORE_CONTEXT_URL):
        check_problem(reading_broker.get(path(context_id)), 422, "OperationNotSupported")


def test_wrong_flag_is_refused(broker: Broker) -> None:
    check_problem(broker.get(path(add(broker), "?details=other")), 400, "BadRequestData")


def test_every_use_is_counted_the_look_at_the_count_too(
    reading_broker: Broker, reader: City, server: ContextServer, clock: FixedClock
) -> None:
    url = server.put("/c.jsonld", {})
    resolve(reader, url)
    assert details(reading_broker, url)["numberOfHits"] == 1
    clock.advance(minutes=5)
    resolve(reader, [url])
    found = details(reading_broker, url)
    assert (found["numberOfHits"], found["lastUsage"]) == (3, "2026-04-01T00:05:00.000000Z")
    hosted = add(reading_broker)
    assert [details(reading_broker, hosted)["numberOfHits"] for _ in range(2)] == [0, 1]


def test_many_uses_are_counted_with_few_writes(reading_broker: Broker, reader: City, server: ContextServer) -> None:
    url = server.put("/c.jsonld", {})
    for _ in range(int(WRITES_PER_S) * 20):
        resolve(reader, url)
    assert details(reading_broker, url)["numberOfHits"] == WRITES_PER_S * 20


# 5.13.5 Delete and reload ---------------------------------------------------------------------------------------------


def test_hosted_context_is_deleted(broker: Broker) -> None:
    local_id = add(broker)
    gone = broker.delete(path(local_id))
    assert (gone.status_code, gone.content) == (204, b"")
    check_problem(broker.get(path(local_id)), 404, "ResourceNotFound")
    check_problem(broker.delete(path(local_id)), 404, "ResourceNotFound")


def test_cached_context_is_deleted_by_its_url_or_identifier(
    reading_broker: Broker, reader: City, server: ContextServer
) -> None:
    url = server.put("/c.jsonld", {})
    for by in (lambda: url, lambda: details(reading_broker, url)["localId"]):
        resolve(reader, url)
        assert reading_broker.delete(path(by())).status_code == 204
        check_problem(reading_broker.get(path(url, "?details=true")), 404, "ResourceNotFound")
    assert server.asked == ["/c.jsonld"] * 2


@pytest.mark.parametrize("reload", ["", "?reload=false"])
def test_what_is_in_a_deleted_list_stays(
    reading_broker: Broker, reader: City, server: ContextServer, reload: str
) -> None:
    url = server.put("/c.jsonld", {})
    local_id = add(reading_broker, {"@context": [url]})
    assert reading_broker.delete(path(local_id, reload)).status_code == 204
    assert details(reading_broker, url)["kind"] == "Cached"


def test_cached_context_is_read_anew(
    reading_broker: Broker, reader: City, server: ContextServer, clock: FixedClock
) -> None:
    url = server.put("/c.jsonld", {"speed": "https://e.org/1"})
    assert resolve(reader, url).expand("speed") == "https://e.org/1"
    server.put("/c.jsonld", {"speed": "https://e.org/2"})
    clock.advance(minutes=1)
    assert reading_broker.delete(path(url, "?reload=true")).status_code == 204
    assert resolve(reader, url).expand("speed") == "https://e.org/2"
    assert details(reading_broker, url)["createdAt"] == "2026-04-01T00:01:00.000000Z"


@pytest.mark.parametrize("answer", [(404, b""), (200, b"no json"), (200, b'{"@context": 5}')])
def test_reload_that_fails_keeps_the_copy(
    reading_broker: Broker, reader: City, server: ContextServer, answer: tuple[int, bytes]
) -> None:
    url = server.put("/c.jsonld", {"speed": "https://e.org/1"})
    resolve(reader, url)
    server.answers["/c.jsonld"] = (answer[0], {}, answer[1])
    check_problem(reading_broker.delete(path(url, "?reload=true")), 504, "LdContextNotAvailable")
    assert details(reading_broker, url)["kind"] == "Cached"
    assert resolve(reader, url).expand("speed") == "https://e.org/1"
    assert reading_broker.delete(path(url)).status_code == 204


@pytest.mark.parametrize(
    ("reload", "status", "kind"),
    [
        ("?reload=true", 400, "BadRequestData"),
        ("?reload=false", 404, "ResourceNotFound"),
        ("", 404, "ResourceNotFound"),
        ("?reload=xxx", 400, "BadRequestData"),
    ],
)
def test_context_that_is_not_stored_is_not_deleted(broker: Broker, reload: str, status: int, kind: str) -> None:
    check_problem(broker.delete(path("wrong", reload)), status, kind)


def test_only_a_cached_context_is_read_anew(broker: Broker) -> None:
    local_id = add(broker)
    check_problem(broker.delete(path(local_id, "?reload=true")), 400, "BadRequestData")
    assert details(broker, local_id)["kind"] == "Hosted"


def test_core_context_is_there_and_stays(broker: Broker) -> None:
    for url in (CORE_CONTEXT_URL, CORE_CONTEXT_URL.replace("v1.9", "v1.6")):
        described = details(broker, url)
        assert (described["URL"], described["kind"]) == (url, "Cached")
        for query in ("", "?reload=false"):
            check_problem(broker.delete(path(url, query)), 400, "BadRequestData")
        assert broker.delete(path(url, "?reload=true")).status_code == 204


@pytest.mark.parametrize(
    ("error", "act"),
    [
        (ContextIsMissing, lambda city: actions.add_context(city, "", {"A1": "urn:x:A1"})),
        (ContextNotFound, lambda city: actions.describe_context(city, "", "wrong")),
        (ContextNotFound, lambda city: actions.serve_context(city, "", "wrong")),
        (ContextNotFound, lambda city: actions.delete_context(city, "", "wrong")),
        (ContextIsNotServed, lambda city: actions.serve_context(city, "", CORE_CONTEXT_URL)),
        (ContextCannotBeReloaded, lambda city: actions.reload_context(city, "", "wrong")),
        (CoreContextCannotBeDeleted, lambda city: actions.delete_context(city, "", CORE_CONTEXT_URL)),
    ],
)
def test_refusal_has_its_name(city: City, error: type[Exception], act: Callable[[City], object]) -> None:
    with pytest.raises(error):
        act(city)


# Tenants, and who may -------------------------------------------------------------------------------------------------


def test_hosted_context_is_its_tenants_alone(broker: Broker) -> None:
    local_id = add(broker, **{"NGSILD-Tenant": "a"})
    for other in ({}, {"NGSILD-Tenant": "b"}):
        check_problem(broker.get(path(local_id), headers=other), 404, "ResourceNotFound")
        check_problem(broker.get(path(local_id, "?details=true"), headers=other), 404, "ResourceNotFound")
        check_problem(broker.delete(path(local_id), headers=other), 404, "ResourceNotFound")
        assert local_id not in broker.get("/jsonldContexts?details=true", headers=other).text
    own = {"NGSILD-Tenant": "a"}
    assert broker.get(path(local_id), headers=own).json() == MINIMAL
    assert broker.delete(path(local_id), headers=own).status_code == 204


def test_without_a_token_only_content_is_served(
    web: Any, client: Callable[[], Broker], open_city: City, broker: Broker
) -> None:
    local_id = add(broker)
    web.state.city = replace(open_city, settings=replace(open_city.settings, broker_open=False))
    assert broker.get(path(local_id)).json() == MINIMAL
    for refused in (
        broker.get("/jsonldContexts"),
        broker.get(path(local_id, "?details=true")),
        broker.post("/jsonldContexts", json=MINIMAL),
        broker.delete(path(local_id)),
        broker.delete(path(local_id, "?reload=true")),
    ):
        assert refused.status_code == 401


def test_without_a_token_nobody_makes_the_broker_fetch(
    web: Any, open_city: City, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(resolving, "fetch", lambda url, *given, **more: fetched.append(url))
    web.state.city = replace(open_city, settings=replace(open_city.settings, broker_open=False))
    body = {"@context": "https://example.org/context.jsonld", "id": "urn:a:b", "type": "T"}
    refused = broker.post("/entities", json=body, headers={"content-type": "application/ld+json"})
    assert (refused.status_code, fetched) == (401, [])


def test_city_with_a_broken_map_is_not_served(city: City) -> None:
    with pytest.raises(SettingIsInvalid, match="broker_contexts"):
        app.check_city(replace(city.settings, broker_contexts="/not/there.json"))


# Addresses for contexts that have none (§5.13.1) ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (None, CORE_CONTEXT_URL),
        ([], CORE_CONTEXT_URL),
        (CORE_CONTEXT_URL, CORE_CONTEXT_URL),
        ("https://a.example/c", "https://a.example/c"),
        (["https://a.example/c"], "https://a.example/c"),
        (["https://a.example/c", CORE_CONTEXT_URL], "https://a.example/c"),
        (["https://a.example/c", None], CORE_CONTEXT_URL),
        (["https://a.example/b", None, "https://a.example/c"], "https://a.example/c"),
    ],
)
def test_single_url_is_its_own_address(city: City, value: Any, url: str) -> None:
    with city.transaction(System("broker")) as tx:
        assert address_of(tx, value) == url
        assert tx.get("select count(*) as n from broker.contexts").n == 0


def test_list_gets_an_address_once(broker: Broker, open_city: City) -> None:
    value = ["https://a.example/c", {"x": "https://e.org/x", "y": "https://e.org/y"}]
    same = ["https://a.example/c", {"y": "https://e.org/y", "x": "https://e.org/x"}]
    with open_city.transaction(System("broker")) as tx:
        url = address_of(tx, value)
        assert address_of(tx, same) == url
        assert address_of(tx, value, "other") != url
        assert address_of(tx, value[::-1]) != url
    local_id = url.removeprefix(open_city.settings.origin + PREFIX)
    assert broker.get(path(local_id)).json() == {"@context": value}
    described = details(broker, local_id)
    assert (described["URL"], described["kind"]) == (url, "ImplicitlyCreated")
    assert broker.get(path(local_id), headers={"NGSILD-Tenant": "b"}).status_code == 200
    check_problem(broker.delete(path(local_id, "?reload=true")), 400, "BadRequestData")
    assert broker.delete(path(local_id)).status_code == 204


def test_address_is_not_left_by_a_transaction_that_fails(city: City) -> None:
    with pytest.raises(ZeroDivisionError), city.transaction(System("broker")) as tx:
        address_of(tx, {"x": "https://e.org/x"})
        raise ZeroDivisionError
    with city.transaction(System("broker")) as tx:
        assert tx.get("select count(*) as n from broker.contexts").n == 0
