"""Fixtures for all districts: a city on a fresh database made from a template, a clock that tests own."""

import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fasteners
import hypothesis
import psycopg
import pytest
from litestar.testing import TestClient

from sanpo import app
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.db import APP_ROLE
from sanpo.ground.embedded import Embedded, start_embedded
from sanpo.ground.migrate import find_migrations, migrate

# A loaded machine is slow, not wrong: no example has a deadline.
hypothesis.settings.register_profile("sanpo", deadline=None)
hypothesis.settings.load_profile("sanpo")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
START = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data and published vectors; tests that need it are skipped where it is absent."""
    if not SHARED.is_dir():
        pytest.skip("real data folder ../shared/data is absent")
    return SHARED


@pytest.fixture(scope="session")
def embedded() -> Iterator[Embedded]:
    """One embedded server for all workers of all runs; it forgets durability, which other tests examine on their own."""
    home = Path(os.environ.get("SANPO_TEST_HOME", Path(tempfile.gettempdir()) / f"sanpo-test-{os.getuid()}"))
    home.mkdir(parents=True, exist_ok=True)
    with fasteners.InterProcessLock(home / "lock"):
        server = start_embedded(home)
        with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as conn:
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off"):
                conn.execute(f"alter system set {setting}")
            conn.execute("select pg_reload_conf()")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def template(embedded: Embedded) -> str:
    """A migrated database, made once per state of the migrations and of what runs them."""
    migrations = find_migrations(app.packages())
    runner = (ROOT / "sanpo" / "ground" / "migrate.py").read_text(encoding="utf-8")
    parts = [runner, *(m.district + m.name + m.sha256 for m in migrations)]
    digest = hashlib.sha256("".join(parts).encode()).hexdigest()[:16]
    name = f"template_{digest}"
    with (
        fasteners.InterProcessLock(embedded.folder.parent / "template.lock"),
        psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn,
    ):
        if conn.execute("select 1 from pg_database where datname = %s", (name,)).fetchone() is None:
            conn.execute(f"drop database if exists draft_{name} with (force)")
            conn.execute(f"create database draft_{name}")
            migrate(embedded.url("postgres", f"draft_{name}"), migrations)
            conn.execute(f"alter database draft_{name} rename to {name}")
    return name


@pytest.fixture(scope="session")
def kept_database(embedded: Embedded, template: str) -> Iterator[str]:
    """One migrated database of this worker; making and dropping one for each test would cost more than the tests."""
    with fresh_database(embedded, template) as name:
        yield name


@contextmanager
def fresh_database(embedded: Embedded, template: str) -> Iterator[str]:
    """The name of a new migrated database, dropped afterwards."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        yield name
        conn.execute(f"drop database {name} with (force)")


# Deleting is faster than TRUNCATE on small tables, and the role of a replica lets it pass triggers and foreign keys.
_EMPTY = """
do $$
declare r record;
begin
  set local session_replication_role = replica;
  for r in select format('%I.%I', n.nspname, c.relname) as name, c.relkind from pg_class c
           join pg_namespace n on n.oid = c.relnamespace
           where c.relkind in ('r', 'S') and n.nspname !~ '^(pg_|information_schema)'
             and (n.nspname, c.relname) <> ('ground', 'migrations') loop
    if r.relkind = 'S' then perform setval(r.name, 1, false);
    else execute 'delete from ' || r.name; end if;
  end loop;
end $$
"""


@pytest.fixture
def database(embedded: Embedded, kept_database: str) -> str:
    """The name of a migrated database with nothing in it."""
    with psycopg.connect(embedded.url("postgres", kept_database), autocommit=True) as conn:
        # What a test before left running must not hold what is emptied now.
        conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        conn.execute(_EMPTY)
    return kept_database


@pytest.fixture
def settings(embedded: Embedded, database: str, tmp_path: Path) -> Settings:
    return replace(
        Settings(),
        mode="test",
        home=tmp_path,
        database_url=embedded.url(APP_ROLE, database),
        database_owner_url=embedded.url("postgres", database),
        origin="http://testserver.local",
        webhook_private_hosts=True,
    )


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture
def city(settings: Settings, clock: FixedClock) -> Iterator[City]:
    """An empty city."""
    opened = app.open_city(settings, clock=clock, pool=8)
    yield opened
    opened.db.close()


@pytest.fixture
def client(city: City) -> Callable[[], TestClient[Any]]:
    """Makes HTTP clients of the city's web application; each has its own cookies."""
    web = app.create_app(city)
    # Not entered: several clients of one application would each run, and wait for, its lifespan.
    return lambda: TestClient(web, raise_server_exceptions=False)


@pytest.fixture
def world(city: City) -> Any:
    """The city with the ways to act in it (see `tests/world.py`)."""
    from tests.world import World

    return World(city)
