"""The books of a city after a crash: every acknowledgement is in them once, and no record is half there."""

import json
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import numpy as np
import psycopg

from sanpo.journal import audit
from sanpo.journal.sequencer import sequence_all
from tests.crash.scene import STEADY, Scene
from tests.crash.worker import Acknowledgement, Answered, Decided, Sequenced

HALF_RECORDS = {
    "a decision without its journal entry": """
        select e.event_id from consent.grant_events e left join journal.entries j using (entry_id)
        where j.kind is distinct from 'grant'""",
    "a journal entry without its decision": """
        select j.entry_id from journal.entries j left join consent.grant_events e using (entry_id)
        where j.kind = 'grant' and e.event_id is null""",
    "an entry about nobody, or about another": """
        select e.event_id from consent.grant_events e join journal.entries j using (entry_id)
        left join journal.entry_subjects s using (entry_no) where s.subject_no is distinct from e.subject_no""",
    "a grant that its last decision did not make": """
        select g.subject_no from consent.grants g left join lateral (
          select e.state from consent.grant_events e join journal.entries j using (entry_id)
          where (e.subject_no, e.agreement_no) = (g.subject_no, g.agreement_no) order by j.entry_no desc limit 1
        ) last on true where last.state is distinct from g.state""",
    "a withdrawal of which nobody is told": """
        select e.event_id from consent.grant_events e left join consent.notices n using (event_id)
        left join ground.procrastinate_jobs q on q.args ->> 'notice_id' = n.notice_id
        where e.state = 'withdrawn' and q.id is null""",
    "a notice of no withdrawal": """
        select n.notice_id from consent.notices n left join consent.grant_events e using (event_id)
        where e.state is distinct from 'withdrawn'""",
    "a use without its people": """
        select j.entry_id from journal.entries j left join journal.use_subjects u using (entry_no)
        where j.kind = 'use' and u.entry_no is null""",
    "a use without its three returns": """
        select j.entry_id from journal.entries j left join returns.accruals a using (entry_no)
        where j.kind = 'use' group by j.entry_id having count(a.side) <> 3""",
    "returns of no use": """
        select a.entry_no from returns.accruals a left join journal.entries j using (entry_no)
        where j.kind is distinct from 'use'""",
}


def check_books(scene: Scene, said: Iterable[Acknowledgement], *, unsaid: int) -> None:
    """`unsaid` is how many decisions and uses may be there that nobody heard of: each death can swallow one."""
    told = list(said)
    with scene.owner() as conn:
        for name, query in HALF_RECORDS.items():
            found = conn.execute(query).fetchall()
            assert found == [], f"{name}: {found[:3]}"
        _check_decisions(conn, [each for each in told if isinstance(each, Decided)], unsaid)
        _check_uses(conn, {each.entry_id for each in told if isinstance(each, Answered)}, unsaid)
        _check_bits(conn)
        largest = conn.execute("select coalesce(max(size), 0) from journal.checkpoints").fetchone()
        assert largest is not None
        assert largest[0] >= max((each.size for each in told if isinstance(each, Sequenced)), default=0)
    _check_journal(scene)


def _check_decisions(conn: psycopg.Connection[Any], told: list[Decided], unsaid: int) -> None:
    rows = conn.execute(
        "select e.event_id, e.entry_id, e.subject_no, e.state, e.record, j.body"
        " from consent.grant_events e join journal.entries j using (entry_id)"
    ).fetchall()
    kept = {row[0]: row[1:4] for row in rows}
    for each in told:
        assert kept.get(each.event_id) == (each.entry_id, each.subject_no, each.state), (
            "an acknowledged decision is lost"
        )
    assert len({each.event_id for each in told}) == len(told)
    assert len(kept) - len(told) <= STEADY + unsaid
    for *_, record, body in rows:
        assert json.loads(bytes(body))["record_sha256"] == sha256(bytes(record)).hexdigest()


def _check_uses(conn: psycopg.Connection[Any], told: set[str], unsaid: int) -> None:
    kept = {row[0] for row in conn.execute("select entry_id from journal.entries where kind = 'use'")}
    assert told <= kept, "an acknowledged use is lost"
    assert len(kept - told) <= unsaid


def _check_bits(conn: psycopg.Connection[Any]) -> None:
    granted = {
        tuple(row)
        for row in conn.execute(
            "select agreement_no, subject_no from consent.grants where state in ('given', 'renewed')"
        )
    }
    bits = {
        (agreement_no, chunk_no * 2048 + int(place))
        for agreement_no, chunk_no, chunk in conn.execute("select * from consent.granted_chunks")
        for place in np.flatnonzero(np.unpackbits(np.frombuffer(chunk, np.uint8), bitorder="little"))
    }
    assert bits == granted


def _check_journal(scene: Scene) -> None:
    with scene.city() as city:
        sequence_all(city)
        report = audit(city)
    with scene.owner() as conn:
        row = conn.execute("select count(*) from journal.entries").fetchone()
    assert row is not None
    assert (report.waiting, report.entries) == (0, row[0])
