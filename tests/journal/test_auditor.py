"""The audit finds what someone with the database's own powers would change."""

from collections.abc import Callable

import psycopg
import pytest

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.journal import SubjectSet, append, audit, sequence
from sanpo.journal.model import JournalIsInconsistent
from sanpo.journal.sequencer import sequence_all


def flip(column: str, byte: int = 0) -> str:
    return f"{column} = set_byte({column}, {byte}, get_byte({column}, {byte}) # 1)"


FORGERIES = {
    "update journal.entries set body = convert_to('{\"n\":8}', 'UTF8') where leaf_index = 3": "checkpoint",
    "update journal.entries set kind = 'other' where leaf_index = 3": "checkpoint",
    "update journal.entries set appended_at = appended_at + interval '1 s' where leaf_index = 0": "checkpoint",
    "delete from journal.entries where leaf_index = 3": "gap in the entries",
    "update journal.entries set leaf_index = null where leaf_index = 299": "entries under the newest checkpoint",
    f"update journal.tiles set {flip('hashes', 40)} where level = 0 and index = 0": "tile of level 0",
    "delete from journal.tiles where level = 1": "tile of level 1",
    f"update journal.checkpoints set {flip('root')} where size = 200": "checkpoint",
    "update journal.checkpoints set note = replace(note, '200', '201') where size = 200": "checkpoint",
    "update journal.checkpoints set note = 'x' where size = 200": "checkpoint's note",
    "update journal.use_subjects set bits = set_bit(bits, 8, 1)": "set of residents",
    f"update journal.use_subjects set {flip('use_key')}": "set of residents",
    f"update journal.use_subjects set {flip('block_roots')}": "set of residents",
}


def test_audit_finds_every_forgery(city: City, people: Callable[..., SubjectSet]) -> None:
    with city.transaction(System("operator")) as tx:
        append(tx, kind="use", body={}, subjects=people(7))
        for n in range(299):
            append(tx, kind="note", body={"n": n})
    for size in (200, 100):
        sequence(city, max_entries=size)
    seen: list[tuple[int, int]] = []
    assert audit(city, lambda done, size: seen.append((done, size))).checkpoints == 2
    assert seen == [(300, 300)]
    found = {}
    with psycopg.connect(city.settings.database_owner_url, autocommit=True) as conn:
        conn.execute("set session_replication_role = replica")  # a superuser's way past every trigger
        for forgery in FORGERIES:
            table = forgery.split()[2 if forgery.startswith("delete") else 1]
            conn.execute(f"create temp table kept as select * from {table}")
            conn.execute(forgery)
            with pytest.raises(JournalIsInconsistent) as caught:
                audit(city)
            found[forgery] = caught.value.fields["what"]
            conn.execute(f"delete from {table}")
            conn.execute(f"insert into {table} overriding system value select * from kept")
            conn.execute("drop table kept")
    assert found == FORGERIES
    assert audit(city).entries == 300


def test_audit_of_an_empty_journal_is_in_order(city: City) -> None:
    assert audit(city).entries == 0
    with city.transaction(System("operator")) as tx:
        append(tx, kind="note", body={})
    report = audit(city)
    assert (report.entries, report.checkpoints, report.waiting) == (0, 0, 1)
    sequence_all(city)
    assert audit(city).waiting == 0
