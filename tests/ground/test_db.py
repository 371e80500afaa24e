"""The database: transactions carry their actor, and nothing outlives a failure."""

import psycopg
import pytest

from sanpo.ground.actors import Anonymous, Resident, System
from sanpo.ground.city import City
from sanpo.ground.db import DatabaseIsUnavailable
from sanpo.ground.outbox import publish

READ_SETTINGS = "select ground.actor_subject() subject_no, ground.actor_duty() duty, current_user::text as role"


def test_transaction_tells_the_database_who_acts(city: City) -> None:
    with city.transaction(Resident("res_x", 7, "res_x")) as tx:
        assert tuple(tx.get(READ_SETTINGS)) == (7, None, "sanpo_app")
    with city.transaction(System("jobs")) as tx:
        assert tuple(tx.get(READ_SETTINGS)) == (None, "jobs", "sanpo_app")


def test_actor_is_forgotten_when_the_connection_is_used_again(city: City) -> None:
    with city.transaction(Resident("res_x", 7, "res_x")) as tx:
        tx.get(READ_SETTINGS)
    with city.transaction(Anonymous()) as tx:
        assert tuple(tx.get(READ_SETTINGS)) == (None, None, "sanpo_app")


def test_outbox_queues_nothing_when_the_transaction_fails(city: City) -> None:
    def queued() -> int:
        with city.transaction(System("jobs")) as tx:
            return int(tx.get("select count(*) as n from ground.procrastinate_jobs").n)

    with city.transaction(System("jobs")) as tx:
        publish(tx, "some.task", {"a": 1})
    assert queued() == 1
    with pytest.raises(ZeroDivisionError), city.transaction(System("jobs")) as tx:
        publish(tx, "some.task", {"a": 2})
        raise ZeroDivisionError
    assert queued() == 1


def test_on_commit_runs_after_commit_only(city: City) -> None:
    seen: list[str] = []
    with city.transaction(System("jobs")) as tx:
        tx.on_commit(lambda: seen.append("committed"))
        assert seen == []
    with pytest.raises(ZeroDivisionError), city.transaction(System("jobs")) as tx:
        tx.on_commit(lambda: seen.append("never"))
        raise ZeroDivisionError
    assert seen == ["committed"]


def test_lost_connection_is_reported_as_unavailable(city: City) -> None:
    with pytest.raises(DatabaseIsUnavailable), city.transaction(System("jobs")) as tx:
        tx.execute("select pg_terminate_backend(pg_backend_pid())")
        tx.get("select 1 as one")


def test_transaction_takes_another_connection_when_those_that_lay_idle_are_lost(city: City) -> None:
    with city.transaction(System("jobs")) as tx:
        pid = tx.get("select pg_backend_pid() as pid").pid
    with psycopg.connect(city.settings.database_owner_url) as owner:
        owner.execute("select pg_terminate_backend(%s, 5000)", (pid,))
    with city.transaction(System("jobs")) as tx:
        assert tx.get("select 1 as one").one == 1
    assert city.db.read("select 2 as two").two == 2


def test_nothing_is_called_committed_after_a_statement_has_failed(city: City) -> None:
    with pytest.raises(psycopg.errors.InFailedSqlTransaction), city.transaction(System("jobs")) as tx:
        publish(tx, "some.task", {"a": 1})
        with pytest.raises(psycopg.errors.DivisionByZero):
            tx.get("select 1 / 0 as x")
    with city.transaction(System("jobs")) as tx:
        assert tx.get("select count(*) as n from ground.procrastinate_jobs").n == 0


def test_connection_lost_before_an_event_is_queued_is_the_loss_of_the_database(city: City) -> None:
    with pytest.raises(DatabaseIsUnavailable), city.transaction(System("jobs")) as tx:
        pid = tx.get("select pg_backend_pid() as pid").pid
        with psycopg.connect(city.settings.database_owner_url) as owner:
            owner.execute("select pg_terminate_backend(%s, 5000)", (pid,))
        publish(tx, "some.task", {"a": 1})
