"""Every error of the broker's own over HTTP: its status, its NGSI-LD type, and a sentence that says what is wrong."""

from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker import errors
from sanpo.ground.config import SettingIsInvalid, load_settings

PREFIX = "https://uri.etsi.org/ngsi-ld/errors/"
ROOM = {"id": "urn:a:room", "type": "Room", "temperature": 20}
LINK = '<https://a.example/c>; rel="http://www.w3.org/ns/json-ld#context"'

REQUESTS: list[tuple[type[errors.BrokerError], tuple[str, str, Any], dict[str, str], int, str]] = [
    (errors.PayloadIsNotJson, ("POST", "/entities", b"{"), {}, 400, "InvalidRequest"),
    (errors.ParameterIsUnknown, ("GET", "/types?none=1", None), {}, 400, "InvalidRequest"),
    (errors.ParameterIsInvalid, ("GET", "/entities?type=Room&limit=x", None), {}, 400, "BadRequestData"),
    (errors.HeaderIsInvalid, ("GET", "/types", None), {"link": f"{LINK}, {LINK}"}, 400, "BadRequestData"),
    (errors.EntityIsInvalid, ("POST", "/entities", {"id": "x"}), {}, 400, "BadRequestData"),
    (errors.EntityExists, ("POST", "/entities", ROOM), {}, 409, "AlreadyExists"),
    (errors.EntityNotFound, ("GET", "/entities/urn:a:none", None), {}, 404, "ResourceNotFound"),
    (errors.AttributeNotFound, ("DELETE", "/entities/urn:a:room/attrs/none", None), {}, 404, "ResourceNotFound"),
    (errors.TypeNotFound, ("GET", "/types/None", None), {}, 404, "ResourceNotFound"),
    (errors.TenantNotFound, ("GET", "/entities/urn:a:room", None), {"ngsild-tenant": "x"}, 404, "NonexistentTenant"),
    (errors.LimitIsTooHigh, ("GET", "/entities?type=Room&limit=5000", None), {}, 403, "TooManyResults"),
    (errors.QueryIsTooWide, ("GET", "/entities", None), {}, 400, "BadRequestData"),
    (
        errors.BatchIsTooLarge,
        ("POST", "/entityOperations/delete", ["urn:a:b"] * 10_001),
        {},
        400,
        "BadRequestData",
    ),
]


@pytest.mark.parametrize(
    ("error", "request_parts", "headers", "status", "kind"), REQUESTS, ids=lambda each: getattr(each, "code", "")
)
def test_error_says_what_is_wrong(
    broker: TestClient[Any],
    error: type[errors.BrokerError],
    request_parts: tuple[str, str, Any],
    headers: dict[str, str],
    status: int,
    kind: str,
) -> None:
    assert broker.post("/entities", json=ROOM).status_code == 201
    method, path, body = request_parts
    given = {"content": body} if isinstance(body, bytes) else {"json": body} if body is not None else {}
    answer = broker.request(method, path, headers={"content-type": "application/json", **headers}, **given)
    found = answer.json()
    assert (answer.status_code, found["type"]) == (status, PREFIX + kind), answer.text
    assert found["status"] == status
    sentence = broker.app.state.city.words.catalogues["en"][f"error.{error.code}"]
    first, last = sentence.split("{")[0], sentence.rsplit("}", 1)[-1]
    assert found["detail"].startswith(first)
    assert found["detail"].endswith(last)
    assert "{" not in found["detail"]
    japanese = broker.request(
        method, path, headers={"content-type": "application/json", "accept-language": "ja", **headers}, **given
    )
    assert japanese.json()["detail"] != found["detail"]


def test_broker_without_sign_in_listens_on_loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    settings, _ = load_settings({"broker_open": "true"})
    assert settings.broker_open
    with pytest.raises(SettingIsInvalid):
        load_settings({"broker_open": "true", "host": "0.0.0.0"})


def test_nobody_reads_a_broker_that_asks_who_they_are(broker: TestClient[Any]) -> None:
    city = broker.app.state.city
    broker.app.state.city = replace(city, settings=replace(city.settings, broker_open=False))
    for method, path in (("GET", "/entities/urn:a:room"), ("GET", "/types"), ("GET", "/entities?type=Room")):
        assert broker.request(method, path).status_code == 401
    assert broker.post("/entities", json=ROOM).status_code == 401
    wrong = broker.get("/types", headers={"authorization": "Bearer nonsense"})
    assert (wrong.status_code, wrong.headers["www-authenticate"]) == (401, 'Bearer realm="sanpo"')
