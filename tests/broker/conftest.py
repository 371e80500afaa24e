"""A broker without sign-in, asked over HTTP in the same process."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner, Result

from sanpo.broker import cli
from sanpo.ground.city import City
from tests.broker.mqtt_server import MqttServer

ROOT = "/ngsi-ld/v1"


@pytest.fixture
def open_city(city: City) -> City:
    """The city with a broker that needs no token."""
    return replace(city, settings=replace(city.settings, broker_open=True))


@pytest.fixture
def broker(web: Any, client: Callable[[], TestClient[Any]], open_city: City) -> TestClient[Any]:
    """A client of the open broker; paths begin below `/ngsi-ld/v1`."""
    http = client()
    web.state.city = open_city
    http.base_url = http.base_url.join(ROOT)
    return http


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `sanpo broker …` on a city of the test's."""

    def run(city: City, *words: str) -> Result:
        monkeypatch.setattr(cli, "open_city", lambda: nullcontext(city))
        return CliRunner().invoke(cli.cli, list(words))

    return run


@pytest.fixture
def mqtt_server() -> Iterator[MqttServer]:
    server = MqttServer().start()
    yield server
    server.stop()
