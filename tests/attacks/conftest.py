"""One besieged city for all attacks of a worker: they leave nothing behind, which is what the tests show."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from sanpo import app
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.db import APP_ROLE
from sanpo.ground.embedded import Embedded
from tests.attacks.siege import Siege
from tests.conftest import START


@pytest.fixture(scope="session")
def siege(embedded: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Siege]:
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        settings = replace(
            Settings(),
            mode="test",
            home=tmp_path_factory.mktemp("siege"),
            database_url=embedded.url(APP_ROLE, name),
            database_owner_url=embedded.url("postgres", name),
            origin="http://testserver.local",
            webhook_private_hosts=True,
        )
        clock = FixedClock(START)
        city = app.open_city(settings, clock=clock, pool=8)
        try:
            yield Siege(city, clock, app.create_app(city))
        finally:
            city.db.close()
            conn.execute(f"drop database {name} with (force)")
