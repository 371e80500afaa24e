"""Fixtures for all districts: a city on a fresh database made from a template, a clock that tests own."""

import asyncio
import atexit
import gc
import hashlib
import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import fasteners
import hypothesis
import psycopg
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from litestar import Litestar
from litestar.testing import TestClient

from sanpo import app
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.db import APP_ROLE
from sanpo.ground.embedded import Embedded, start_embedded
from sanpo.ground.keys import open_keys
from sanpo.ground.migrate import find_migrations, migrate
from sanpo.ground.outbox import Outbox
from tests.chance import LONG, often
from tests.distribution import Distribution, place

# A loaded machine is slow, not wrong. The default suite asks the same each time, the long one much more, by chance.
_patient: dict[str, Any] = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("default", max_examples=20, derandomize=True, **_patient)
hypothesis.settings.register_profile("long", max_examples=often(100, 300), print_blob=True, **_patient)
hypothesis.settings.load_profile("long" if LONG else "default")

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
START = datetime(2026, 4, 1, 0, 0, tzinfo=UTC)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Distribution:
    return Distribution(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=place)


def pytest_collection_finish() -> None:
    """What has been imported stays: the collector of garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()
    atexit.register(gc.unfreeze)


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
            for setting in ("fsync = off", "synchronous_commit = off", "full_page_writes = off", "autovacuum = off"):
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


# Deleting is faster than TRUNCATE on small tables, and the role of a replica lets it pass triggers and foreign keys. As a
# function with each statement written out, its plans are made once for all tests.
_EMPTY = """
do $$
declare body text;
begin
  select string_agg(case c.relkind when 'S' then format('perform setval(%L, 1, false);', c.oid::regclass)
                    else format('delete from %s;', c.oid::regclass) end, ' ')
  into body from pg_class c join pg_namespace n on n.oid = c.relnamespace
  where c.relkind in ('r', 'S') and n.nspname !~ '^(pg_|information_schema)'
    and (n.nspname, c.relname) <> ('ground', 'migrations');
  execute format('create function pg_temp.empty() returns void language plpgsql'
                 ' set session_replication_role = replica as %L', 'begin ' || body || ' end');
end $$
"""


@pytest.fixture(scope="session")
def emptier(embedded: Embedded, kept_database: str) -> Iterator[psycopg.Connection]:
    """The connection that empties this worker's database."""
    with psycopg.connect(embedded.url("postgres", kept_database), autocommit=True) as conn:
        conn.execute(_EMPTY)
        yield conn


@pytest.fixture
def database(kept_database: str, emptier: psycopg.Connection) -> str:
    """The name of a migrated database with nothing in it."""
    # What a test before left running must not hold what is emptied now; connections that lie idle are shared.
    emptier.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid() and state <> 'idle'"
    )
    emptier.execute("select pg_temp.empty()")
    return kept_database


def settings_for(embedded: Embedded, database: str, home: Path) -> Settings:
    """Settings of a city on this database of the embedded server, with its files in `home`."""
    return replace(
        Settings(),
        mode="test",
        home=home,
        database_url=embedded.url(APP_ROLE, database),
        database_owner_url=embedded.url("postgres", database),
        origin="http://testserver.local",
        webhook_private_hosts=True,
    )


@pytest.fixture
def settings(embedded: Embedded, database: str, tmp_path: Path) -> Settings:
    return settings_for(embedded, database, tmp_path)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(START)


@pytest.fixture(scope="session")
def kept_city(embedded: Embedded, kept_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """What the cities of this worker's tests have in common: connections, words and services."""
    opened = app.open_city(settings_for(embedded, kept_database, tmp_path_factory.mktemp("kept")), pool=8)
    yield opened
    opened.db.close()


@pytest.fixture
def city(kept_city: City, settings: Settings, clock: FixedClock) -> City:
    """An empty city with a folder, keys and an hour of its own."""
    keys = open_keys(settings.home, settings.master_secret, demo=settings.demo)
    return replace(kept_city, settings=settings, clock=clock, keys=keys, outbox=Outbox())


@pytest.fixture(scope="session")
def web(kept_city: City) -> Litestar:
    """The web application of this worker: to put it together and compile its pages takes longer than most tests."""
    return app.create_app(kept_city)


@pytest.fixture(scope="session")
def portal() -> Iterator[BlockingPortal]:
    """The event loop of all HTTP clients, with threads for eight requests at once."""
    with start_blocking_portal() as opened, ThreadPoolExecutor(8) as threads:
        opened.call(lambda: asyncio.get_running_loop().set_default_executor(threads))
        yield opened


def open_client(web: Litestar, portal: BlockingPortal) -> TestClient[Any]:
    """A client with cookies of its own. Without `portal` each request would start a thread and a loop; to enter the
    client would run the application's lifespan once for each, and wait for it."""
    http = TestClient(web, raise_server_exceptions=False)
    http.blocking_portal = portal
    return http


@pytest.fixture
def client(web: Litestar, portal: BlockingPortal, city: City) -> Callable[[], TestClient[Any]]:
    """Makes HTTP clients of the city's web application; each has its own cookies."""
    web.state.city = city
    return lambda: open_client(web, portal)


@pytest.fixture
def world(city: City) -> Any:
    """The city with the ways to act in it (see `tests/world.py`)."""
    from tests.world import World

    return World(city)
