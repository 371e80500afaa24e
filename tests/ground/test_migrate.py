"""Migrations run once, in order, and are never changed; the application's role cannot touch the schema."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from sanpo import app
from sanpo.ground.config import Settings
from sanpo.ground.embedded import Embedded
from sanpo.ground.migrate import (
    DatabaseIsTooOld,
    MigrationsAreWaiting,
    MigrationWasChanged,
    check_migrated,
    find_migrations,
    migrate,
)
from tests.conftest import fresh_database


@pytest.fixture
def database(embedded: Embedded, template: str) -> Iterator[str]:
    """These tests change the schema, so each has a database of its own."""
    with fresh_database(embedded, template) as name:
        yield name


def test_second_run_does_nothing(settings: Settings) -> None:
    assert migrate(settings.database_owner_url, find_migrations(app.packages())) == []


def test_changed_migration_is_refused(settings: Settings) -> None:
    migrations = find_migrations(app.packages())
    changed = [replace(migrations[0], text="select 1"), *migrations[1:]]
    with pytest.raises(MigrationWasChanged):
        migrate(settings.database_owner_url, changed)


def test_failing_migration_leaves_nothing_behind(settings: Settings) -> None:
    migrations = find_migrations(app.packages())
    bad = [
        replace(migrations[0], name="9998_good.sql", text="create table ground.half (a int)"),
        replace(migrations[0], name="9999_bad.sql", text="create table ground.half (b int)"),
    ]
    with pytest.raises(psycopg.errors.DuplicateTable):
        migrate(settings.database_owner_url, migrations + bad)
    with psycopg.connect(settings.database_owner_url) as conn:
        assert conn.execute("select to_regclass('ground.half')").fetchone() == (None,)


@pytest.mark.parametrize(
    "statement",
    [
        "drop table consent.grants",
        "alter table consent.grants disable row level security",
        "create table ground.mine (a int)",
    ],
)
def test_application_role_cannot_change_the_schema(settings: Settings, statement: str) -> None:
    with psycopg.connect(settings.database_url) as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute(statement)


def test_old_server_is_named_in_the_refusal() -> None:
    assert DatabaseIsTooOld(version="14").fields == {"version": "14"}


def test_every_table_with_a_subject_has_forced_row_level_security(settings: Settings) -> None:
    """The second wall is complete: no table that knows a `subject_no` is open."""
    with psycopg.connect(settings.database_owner_url) as conn:
        rows = conn.execute(
            """select n.nspname || '.' || c.relname, c.relrowsecurity and c.relforcerowsecurity
               from pg_class c join pg_namespace n on n.oid = c.relnamespace
               join pg_attribute a on a.attrelid = c.oid and a.attname = 'subject_no'
               where c.relkind in ('r', 'p') and n.nspname not like 'pg_%'"""
        ).fetchall()
    assert {"consent.grants", "consent.grant_events", "consent.notices"} <= {name for name, _ in rows}
    assert [name for name, walled in rows if not walled] == []


def test_personal_tables_show_nothing_to_the_application_without_an_actor(settings: Settings) -> None:
    """A connection as the application's role, with no actor set: zero rows, whatever is stored."""
    with psycopg.connect(settings.database_url) as conn:
        tables = conn.execute(
            """select quote_ident(n.nspname) || '.' || quote_ident(c.relname) from pg_class c
               join pg_namespace n on n.oid = c.relnamespace
               where c.relkind = 'r' and c.relrowsecurity and has_table_privilege(c.oid, 'select')"""
        ).fetchall()
        assert len(tables) >= 4
        for (table,) in tables:
            assert conn.execute(f"select count(*) from {table}").fetchone() == (0,)  # type: ignore[arg-type]


def test_revoke_in_a_migration_lasts(settings: Settings) -> None:
    migrations = find_migrations(app.packages())
    text = "create table ground.sealed (a int); revoke insert on ground.sealed from sanpo_app"
    migrate(settings.database_owner_url, [*migrations, replace(migrations[0], name="9998_sealed.sql", text=text)])
    with psycopg.connect(settings.database_url, autocommit=True) as conn:
        assert conn.execute("select count(*) from ground.sealed").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("insert into ground.sealed values (1)")


def test_waiting_migration_is_named_to_a_login_that_may_not_run_it(settings: Settings) -> None:
    as_app = replace(settings, database_owner_url="")
    assert app.prepare(as_app) == []
    migrations = find_migrations(app.packages())
    with pytest.raises(MigrationsAreWaiting, match="9998_late"):
        check_migrated(as_app.database_url, [*migrations, replace(migrations[0], name="9998_late.sql")])
