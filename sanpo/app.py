"""Opens the districts: the only file that knows all of them."""

from dataclasses import replace
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from types import ModuleType
from typing import Any

from litestar import Litestar
from litestar.types import ASGIApp

from sanpo.ground.city import City, Eraser
from sanpo.ground.clock import Clock, SystemClock
from sanpo.ground.config import Settings
from sanpo.ground.db import APP_ROLE, Database
from sanpo.ground.embedded import Embedded, start_embedded
from sanpo.ground.html import open_templates
from sanpo.ground.jobs import Registry
from sanpo.ground.keys import open_keys
from sanpo.ground.migrate import Migration, check_migrated, find_migrations, is_app_login, migrate
from sanpo.ground.outbox import Outbox
from sanpo.ground.payouts import Payer
from sanpo.ground.plugins import load_plugins
from sanpo.ground.web import WebParts, create_web
from sanpo.ground.words import load_words

# Bottom of the house first: the order of migrations.
DISTRICTS = ("ground", "people", "journal", "consent", "ledger", "lake", "returns", "cleanroom", "broker", "portal")


def packages() -> list[str]:
    """Import names of all districts and services, bottom first."""
    return [f"sanpo.{district}" for district in DISTRICTS] + load_plugins().packages


def room(package: str, name: str) -> ModuleType | None:
    """The module `name` of a district, or None where the district has no such room."""
    return import_module(f"{package}.{name}") if files(package).joinpath(f"{name}.py").is_file() else None


def with_database(settings: Settings) -> tuple[Settings, Embedded | None]:
    """The settings with a database to connect to; starts the embedded one where no address is set."""
    if settings.database_url:
        return settings, None
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    embedded = start_embedded(settings.home)
    _create_database(embedded)
    return replace(settings, database_url=embedded.url(APP_ROLE), database_owner_url=embedded.url("postgres")), embedded


def prepare(settings: Settings) -> list[Migration]:
    """Runs the migrations that have not run; returns them. As the application's role it only looks whether any wait."""
    migrations = find_migrations(packages())
    if settings.database_owner_url or not is_app_login(settings.database_url):
        return migrate(settings.database_owner_url or settings.database_url, migrations)
    check_migrated(settings.database_url, migrations)
    return []


def open_city(settings: Settings, *, clock: Clock | None = None, pool: int = 10) -> City:
    """A city on a database that is there and migrated. The caller closes `city.db`."""
    keys = open_keys(settings.home, settings.master_secret, demo=settings.demo)
    db = Database(settings.database_url, max_size=pool)
    db.open()
    words, plugins = load_words(packages()), load_plugins()
    return City(settings, db, clock or SystemClock(), keys, words, plugins, Outbox(), _erasers(), _payer())


def _erasers() -> tuple[Eraser, ...]:
    from sanpo.broker.erasing.entities import erase_entities

    of_services = (room(package, "erasing") for package in load_plugins().packages)
    return (erase_entities, *(module.erase for module in of_services if module is not None))


def _payer() -> Payer | None:
    """The service that has money to pay for uses with: the first that brings the room `payouts`."""
    rooms = (room(package, "payouts") for package in load_plugins().packages)
    return next((module.pay for module in rooms if module is not None), None)


def check_city(settings: Settings) -> None:
    """Refuses to serve a city whose services ask of its lake what the rows there cannot give, or without its engine, or
    with a map of contexts that cannot be read."""
    from sanpo.broker.contexts import read_map
    from sanpo.cleanroom.engines import engine_of
    from sanpo.lake.actions import check_datasets

    engine_of(settings)
    read_map(settings)
    city = open_city(settings, pool=2)
    try:
        check_datasets(city)
    finally:
        city.db.close()


def create_app(city: City) -> Litestar:
    """The web application of this city."""
    from sanpo.people import actor_of
    from sanpo.portal import open_navigation

    templates = open_templates(packages())
    templates.globals["navigation"] = open_navigation(city.plugins)
    return create_web(
        city,
        WebParts(
            handlers=_handlers(),
            templates=templates,
            resolve_actor=actor_of,
            static=Path(str(files("sanpo.portal"))) / "static" / "dist",
        ),
    )


def with_shortcuts(app: Litestar) -> ASGIApp:
    """The application as a server runs it: what is asked for most often takes a shorter way."""
    from sanpo.broker.api import with_shortcut

    return with_shortcut(app)


def create_registry() -> Registry:
    """The jobs and duties of all districts."""
    registry = Registry()
    for package in packages()[1:]:  # the first is ground, whose jobs.py is the worker itself
        jobs = room(package, "jobs")
        if jobs is not None:
            jobs.jobs(registry)
    return registry


def _handlers() -> list[Any]:
    found: list[Any] = []
    for package in packages()[1:]:
        for door in ("api", "pages"):
            module = room(package, door)
            if module is not None:
                found.extend(module.handlers)
    return found


def _create_database(embedded: Embedded) -> None:
    import psycopg

    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        if conn.execute("select 1 from pg_database where datname = 'sanpo'").fetchone() is None:
            conn.execute("create database sanpo")
