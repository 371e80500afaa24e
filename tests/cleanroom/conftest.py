"""One city for all tests here, since filling a lake takes longer than a test: each test asks under its own agreement."""

import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from anyio.from_thread import BlockingPortal
from litestar import Litestar
from litestar.testing import TestClient

from sanpo import app
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.embedded import Embedded
from tests.cleanroom.cities import Metered, Walk
from tests.conftest import START, open_client, settings_for


@pytest.fixture(scope="session")
def metered(embedded: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    """The city, on a database of its own."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        settings = settings_for(embedded, name, tmp_path_factory.mktemp("metered"))
        city = app.open_city(settings, clock=FixedClock(START), pool=8)
        yield Metered(city)
        city.db.close()
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture
def city(metered: Metered) -> City:
    """The shared city: tests here must not move its clock."""
    return metered.city


@pytest.fixture
def walk(metered: Metered) -> Walk:
    """A new agreement of the university that nobody has granted yet."""
    return metered.walk()


@pytest.fixture
def client(web: Litestar, portal: BlockingPortal, city: City) -> Callable[[], TestClient[Any]]:
    """Makes HTTP clients of the shared city; each has its own cookies."""
    web.state.city = city
    return lambda: open_client(web, portal)
