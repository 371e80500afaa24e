"""Appending: in the caller's transaction or not at all, and nothing public names a resident."""

import contextlib
import threading
from collections.abc import Callable
from typing import cast

import psycopg
import pytest

from sanpo.ground.actors import Anonymous, Client, Resident, System
from sanpo.ground.canonical import NotCanonical
from sanpo.ground.city import City
from sanpo.ground.db import DatabaseIsUnavailable, Transaction
from sanpo.ground.ids import new_id
from sanpo.journal import JournalUnavailable, SubjectSet, append, list_entries, list_uses_of, sequence
from sanpo.journal.model import MAX_BODY_BYTES, JournalEntryIsTooLarge

AYA = Resident("res_a", 7, "res_a")
BEN = Resident("res_b", 1999, "res_b")
OPERATOR = System("operator")
ASKER = Client("cli_x", "org_x", 3)


def test_append_is_visible_after_commit_with_its_body(city: City) -> None:
    with city.transaction(OPERATOR) as tx:
        done = append(tx, kind="agreement.published", body={"名": "値", "n": 1}, agreement_no=4, organisation_no=2)
    [entry] = list_entries(city)
    assert (entry.entry_no, entry.entry_id, entry.kind) == (done.entry_no, done.entry_id, "agreement.published")
    assert (entry.agreement_no, entry.organisation_no, entry.leaf_index) == (4, 2, None)
    assert entry.body == {"名": "値", "n": 1}
    assert entry.appended_at == city.now()


def test_append_travels_with_other_statements_and_takes_a_given_id(city: City) -> None:
    entry_id = new_id("ent")
    with city.transaction(OPERATOR) as tx:
        first = append(tx, kind="note", body={}, entry_id=entry_id)
        second = append(tx, kind="note", body={}, subject_no=7)
        assert second.entry_no == first.entry_no + 1
    assert [entry.entry_id for entry in list_entries(city)] == [second.entry_id, entry_id]


def test_nothing_commits_when_an_append_among_other_statements_fails(city: City) -> None:
    with pytest.raises(JournalUnavailable), city.transaction(OPERATOR) as tx:
        first = append(tx, kind="note", body={})
        append(tx, kind="note", body={}, entry_id=first.entry_id)
    assert list_entries(city) == []


def test_append_leaves_nothing_when_its_transaction_is_rolled_back(
    city: City, people: Callable[..., SubjectSet]
) -> None:
    with contextlib.suppress(ZeroDivisionError), city.transaction(ASKER) as tx:
        append(tx, kind="use", body={}, subjects=people(7))
        append(tx, kind="grant.given", body={}, subject_no=7)
        raise ZeroDivisionError
    assert list_entries(city) == []
    assert sequence(city) is None
    with city.transaction(System("journal")) as tx:
        assert tx.get("select count(*) as n from journal.use_subjects").n == 0
        assert tx.get("select count(*) as n from journal.entry_subjects").n == 0


def test_append_is_unavailable_when_the_database_refuses_it(city: City) -> None:
    with pytest.raises(JournalUnavailable), city.transaction(OPERATOR) as tx:
        tx.execute("set transaction read only")
        append(tx, kind="use", body={})
    assert list_entries(city) == []


def test_append_is_unavailable_when_the_connection_is_lost(city: City) -> None:
    with contextlib.suppress(psycopg.OperationalError, DatabaseIsUnavailable), city.transaction(OPERATOR) as tx:
        tx.conn.close()
        with pytest.raises(JournalUnavailable):
            append(tx, kind="use", body={})


def test_append_refuses_a_body_beyond_the_format(city: City) -> None:
    with city.transaction(OPERATOR) as tx:
        append(tx, kind="use", body={"text": "x" * (MAX_BODY_BYTES - len('{"text":""}'))})
        with pytest.raises(JournalEntryIsTooLarge):
            append(tx, kind="use", body={"text": "x" * MAX_BODY_BYTES})
        with pytest.raises(NotCanonical):
            append(tx, kind="use", body={"share": 0.5})
    assert len(list_entries(city)) == 1


def test_append_refuses_one_and_many_subjects_together(people: Callable[..., SubjectSet]) -> None:
    with pytest.raises(ValueError, match="not both"):
        append(cast(Transaction, None), kind="use", body={}, subject_no=1, subjects=people(1))


@pytest.mark.parametrize(
    ("bits", "universe", "count"), [(b"\x01", 8, 2), (b"\xff", 7, 8), (b"", 0, 0), (b"\x03", 2, 1), (b"\x00\x01", 8, 1)]
)
def test_subject_set_is_refused_when_its_parts_disagree(bits: bytes, universe: int, count: int) -> None:
    with pytest.raises(ValueError, match="disagree"):
        SubjectSet(bits, universe, count)


def test_uses_are_listed_to_those_included_at_once_and_to_others_on_request(
    city: City, people: Callable[..., SubjectSet]
) -> None:
    with city.transaction(ASKER) as tx:
        first = append(tx, kind="use", body={"n": 1}, agreement_no=1, subjects=people(7, 8))
        append(tx, kind="agreement.published", body={}, agreement_no=1)
        second = append(tx, kind="use", body={"n": 2}, agreement_no=2, subjects=people(7, 1999))
        third = append(tx, kind="use", body={"n": 3}, agreement_no=2, subjects=people(8, universe=100))
    assert [(e.entry_id, e.included) for e in list_uses_of(city, AYA)] == [
        (second.entry_id, True),
        (first.entry_id, True),
    ]
    assert [e.entry_id for e in list_uses_of(city, BEN)] == [second.entry_id]
    assert [(e.entry_id, e.included) for e in list_uses_of(city, BEN, include_out=True, agreement_nos=[2])] == [
        (third.entry_id, False),
        (second.entry_id, True),
    ]
    assert [e.entry_id for e in list_uses_of(city, AYA, limit=1)] == [second.entry_id]
    assert [e.entry_id for e in list_uses_of(city, AYA, before=second.entry_no)] == [first.entry_id]
    assert list_uses_of(city, AYA, agreement_nos=[]) == []


def test_each_bit_of_a_set_is_read_as_its_own_subject(city: City, people: Callable[..., SubjectSet]) -> None:
    with city.transaction(ASKER) as tx:
        ids = [append(tx, kind="use", body={}, subjects=people(n, universe=24)).entry_id for n in range(24)]
    seen = [[e.entry_id for e in list_uses_of(city, Resident("res_x", n, "res_x"))] for n in range(24)]
    assert seen == [[entry_id] for entry_id in ids]


# The second wall: what the application's role sees without the code in front of it.


def test_no_row_about_a_resident_is_visible_without_an_actor(city: City, people: Callable[..., SubjectSet]) -> None:
    with city.transaction(ASKER) as tx:
        append(tx, kind="use", body={}, subjects=people(7))
        append(tx, kind="grant.given", body={}, subject_no=7)
    for actor in (Anonymous(), ASKER, System("jobs"), System("operator")):
        with city.transaction(actor) as tx:
            assert tx.all("select * from journal.use_subjects") == []
            assert tx.all("select * from journal.entry_subjects") == []
            assert [r.x for r in tx.all("select journal.was_included(entry_no) x from journal.entries")] == [None, None]


def test_resident_sees_their_own_salt_and_no_set_at_all(city: City, people: Callable[..., SubjectSet]) -> None:
    with city.transaction(System("consent")) as tx:
        append(tx, kind="use", body={}, subjects=people(7, 1999))
        mine = append(tx, kind="grant.given", body={}, subject_no=AYA.subject_no)
        append(tx, kind="grant.given", body={}, subject_no=BEN.subject_no)
    with city.transaction(AYA) as tx:
        assert [row.entry_no for row in tx.all("select * from journal.entry_subjects")] == [mine.entry_no]
        assert tx.all("select * from journal.use_subjects") == []
        assert tx.execute("update journal.entry_subjects set salt = salt where subject_no = 1999") == 0
        assert tx.execute("delete from journal.entry_subjects where subject_no = 1999") == 0
        assert tx.execute("update journal.use_subjects set bits = bits") == 0


REWRITES = [
    "delete from journal.entries",
    "update journal.entries set body = 'x'",
    "update journal.entries set leaf_index = 7",
    "update journal.entries set body = 'x' where leaf_index is null",
    "update journal.entries set leaf_index = -1 where leaf_index is null",
    "update journal.entries set leaf_index = 9, subjects_root = body where leaf_index is null",
    "update journal.entries set leaf_index = null",
    "update journal.entries set appended_at = now() + interval '1 day'",
    "delete from journal.tiles",
    "update journal.tiles set hashes = set_byte(hashes, 0, (get_byte(hashes, 0) + 1) & 255)",
    "update journal.tiles set level = 3",
    "delete from journal.checkpoints",
    "update journal.checkpoints set note = 'other'",
    "truncate journal.entries cascade",
]


def test_what_is_in_the_journal_cannot_be_rewritten(city: City) -> None:
    with city.transaction(OPERATOR) as tx:
        append(tx, kind="use", body={})
    sequence(city)
    with city.transaction(OPERATOR) as tx:
        append(tx, kind="use", body={})
    refused = []
    for statement in REWRITES:
        try:
            with city.transaction(System("journal")) as tx:
                tx.execute(statement)
        except (psycopg.errors.IntegrityError, psycopg.errors.InsufficientPrivilege):
            refused.append(statement)
    assert refused == REWRITES


def test_writers_do_not_wait_for_each_other(city: City) -> None:
    """An append that is not committed yet holds up no other append and no sequencer."""
    inside, go = threading.Event(), threading.Event()

    def slow() -> None:
        with city.transaction(OPERATOR) as tx:
            append(tx, kind="use", body={"who": "slow"})
            inside.set()
            assert go.wait(10)

    thread = threading.Thread(target=slow)
    thread.start()
    assert inside.wait(10)
    with city.transaction(OPERATOR) as tx:
        tx.execute("set local lock_timeout = '2s'")
        append(tx, kind="use", body={"who": "fast"})
    checkpoint = sequence(city)
    go.set()
    thread.join()
    assert checkpoint is not None
    assert checkpoint.size == 1
