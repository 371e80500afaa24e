"""Migrations: numbered SQL files of each district, run once, in the order of the house, never changed afterwards."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from sanpo.ground.db import APP_ROLE
from sanpo.ground.errors import DomainError, Kind

OWNER_ROLE = "sanpo_owner"
_LOCK = 0x53414E50  # "SANP": one migration at a time


class MigrationWasChanged(DomainError):
    """A migration that ran already has another text now. Fields: district, file."""

    code = "ground.migration_was_changed"
    kind = Kind.CONFLICT


class DatabaseIsTooOld(DomainError):
    """The server is older than PostgreSQL 15. Field: version."""

    code = "ground.database_is_too_old"
    kind = Kind.UNSUPPORTED


class MigrationsAreWaiting(DomainError):
    """The schema is behind the program and this login may not change it. Field: waiting."""

    code = "ground.migrations_are_waiting"
    kind = Kind.CONFLICT


@dataclass(frozen=True)
class Migration:
    district: str
    name: str
    text: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def find_migrations(packages: Iterable[str]) -> list[Migration]:
    """The files of each package's `migrations/`, in name order, packages in the order given (bottom of the house first)."""
    found = []
    for package in packages:
        folder = files(package).joinpath("migrations")
        if not folder.is_dir():
            continue
        for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
            if file.name.endswith(".sql"):
                found.append(Migration(package.rsplit(".", 1)[-1], file.name, file.read_text(encoding="utf-8")))
    return found


def migrate(owner_url: str, migrations: list[Migration]) -> list[Migration]:
    """Runs what has not run, all in one transaction; returns it. Makes the roles and schemas first."""
    with psycopg.connect(owner_url) as conn:
        if conn.info.server_version < 150000:
            raise DatabaseIsTooOld(version=str(conn.info.server_version // 10000))
        conn.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        _prepare(conn)
        ran = {(row[0], row[1]): row[2] for row in conn.execute("select district, name, sha256 from ground.migrations")}
        todo = []
        for migration in migrations:
            before = ran.get((migration.district, migration.name))
            if before is None:
                todo.append(migration)
            elif before != migration.sha256:
                raise MigrationWasChanged(district=migration.district, file=migration.name)
        for migration in todo:
            _run(conn, migration)
        return todo


def is_app_login(url: str) -> bool:
    """True where this address logs in as the application's own role, which may not change the schema."""
    with psycopg.connect(url) as conn:
        return conn.info.user == APP_ROLE


def check_migrated(url: str, migrations: list[Migration]) -> None:
    """Raises `MigrationsAreWaiting` where a migration has not run. Needs no more than the application's role."""
    with psycopg.connect(url) as conn:
        there = conn.execute("select to_regclass('ground.migrations')").fetchone() != (None,)
        ran = {row[0:2] for row in conn.execute("select district, name from ground.migrations")} if there else set()
    waiting = [f"{m.district}/{m.name}" for m in migrations if (m.district, m.name) not in ran]
    if waiting:
        raise MigrationsAreWaiting(waiting=", ".join(waiting))


def _prepare(conn: psycopg.Connection[Any]) -> None:
    for role, login in ((OWNER_ROLE, "nologin"), (APP_ROLE, "login")):
        if conn.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone() is None:
            conn.execute(sql.SQL("create role {} {}").format(sql.Identifier(role), sql.SQL(login)))
    conn.execute(f"grant {OWNER_ROLE}, {APP_ROLE} to current_user")
    conn.execute(f"create schema if not exists ground authorization {OWNER_ROLE}")
    conn.execute(
        "create table if not exists ground.migrations (district text, name text, sha256 text not null,"
        " applied_at timestamptz not null default now(), primary key (district, name))"
    )
    conn.execute(f"grant usage on schema ground to {APP_ROLE}")
    conn.execute(f"grant select on ground.migrations to {APP_ROLE}")
    _prepare_queue(conn)


def _prepare_queue(conn: psycopg.Connection[Any]) -> None:
    """The job queue's own tables, from the library, in the schema `ground`."""
    if conn.execute("select to_regclass('ground.procrastinate_jobs')").fetchone() != (None,):
        return
    _open_to_app(conn, sql.Identifier("ground"))
    conn.execute(f"set local role {OWNER_ROLE}")
    conn.execute("set local search_path = ground")
    conn.execute(SchemaManager.get_schema())
    conn.execute("reset role")
    conn.execute("set local search_path = public")


def _run(conn: psycopg.Connection[Any], migration: Migration) -> None:
    schema = sql.Identifier(migration.district)
    conn.execute(sql.SQL("create schema if not exists {} authorization {}").format(schema, sql.Identifier(OWNER_ROLE)))
    _open_to_app(conn, schema)
    conn.execute(f"set local role {OWNER_ROLE}")
    conn.execute(sql.SQL("set local search_path = {}").format(schema))
    conn.execute(migration.text)
    conn.execute("reset role")
    conn.execute(
        "insert into ground.migrations (district, name, sha256) values (%s, %s, %s)",
        (migration.district, migration.name, migration.sha256),
    )


def _open_to_app(conn: psycopg.Connection[Any], schema: sql.Identifier) -> None:
    """What a migration will make, the application's role may use, never change; a migration takes away with `revoke`."""
    owner, app = sql.Identifier(OWNER_ROLE), sql.Identifier(APP_ROLE)
    conn.execute(sql.SQL("grant usage on schema {} to {}").format(schema, app))
    for privileges in (
        "select, insert, update, delete on tables",
        "usage on sequences",
        "execute on functions",
    ):
        conn.execute(
            sql.SQL("alter default privileges for role {} in schema {} grant {} to {}").format(
                owner, schema, sql.SQL(privileges), app
            )
        )
