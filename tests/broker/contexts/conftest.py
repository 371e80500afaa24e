"""A server of context documents on loopback, and an open broker that may read it."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.ground.city import City
from tests.broker.contexts.documents import ContextServer, context_server


@pytest.fixture
def server() -> Iterator[ContextServer]:
    with context_server() as running:
        yield running


@pytest.fixture
def reader(open_city: City, server: ContextServer) -> City:
    """A city whose broker may read contexts from this server, and from no other private address."""
    host = server.address.removeprefix("http://")
    return replace(open_city, settings=replace(open_city.settings, broker_allow_hosts=f"a.example, {host}"))


@pytest.fixture
def reading_broker(web: Any, client: Callable[[], TestClient[Any]], reader: City) -> TestClient[Any]:
    """A client of that broker; paths begin below `/ngsi-ld/v1`."""
    http = client()
    web.state.city = reader
    http.base_url = http.base_url.join("/ngsi-ld/v1")
    return http
