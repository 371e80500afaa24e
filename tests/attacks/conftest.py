"""One besieged city for all attacks of a worker: they leave nothing behind, which is what the tests show."""

import uuid
from collections.abc import Iterator

import psycopg
import pytest
from anyio.from_thread import BlockingPortal

from sanpo import app
from sanpo.ground.clock import FixedClock
from sanpo.ground.embedded import Embedded
from tests.attacks.siege import Siege
from tests.conftest import START, settings_for


@pytest.fixture(scope="session")
def siege(
    embedded: Embedded, template: str, portal: BlockingPortal, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Siege]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        settings = settings_for(embedded, name, tmp_path_factory.mktemp("siege"))
        clock = FixedClock(START)
        city = app.open_city(settings, clock=clock, pool=8)
        try:
            yield Siege(city, clock, app.create_app(city), portal)
        finally:
            city.db.close()
            conn.execute(f"drop database {name} with (force)")
