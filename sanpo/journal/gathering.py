"""Puts small uses that are alike into one entry: same agreement, same recipient, same body.

A use of one entity is smaller than the tree over a whole city that seals it. So the row that a transaction left with its
answer waits for the sequencer, which makes one entry of all those that came since it last looked.
"""

import json
from collections.abc import Iterable
from typing import Any

from sanpo.ground.db import Transaction
from sanpo.ground.ids import new_id
from sanpo.journal import store
from sanpo.journal.model import ID_PREFIX, SubjectSet, body_bytes

MAX_GATHERED = 50_000


def put_together(tx: Transaction) -> None:
    """Makes entries of what has gathered. Rows and entries change places in this transaction, so none is lost or twice."""
    alike: dict[tuple[Any, ...], list[Any]] = {}
    for row in store.take_gathered(tx, MAX_GATHERED):
        alike.setdefault((row.kind, row.agreement_no, row.organisation_no, bytes(row.body)), []).append(row)
    for rows in alike.values():
        subjects = {number for row in rows for number in row.subject_nos}
        first, last = rows[0], rows[-1]
        columns = {
            "entry_id": new_id(ID_PREFIX),
            "kind": first.kind,
            "agreement_no": first.agreement_no,
            "organisation_no": first.organisation_no,
            "appended_at": last.appended_at,
            "body": body_bytes({**json.loads(first.body), **_sums(rows), "subjects": len(subjects)}),
        }
        store.insert_use(tx, columns, SubjectSet.of(subjects, max(row.universe for row in rows)))


def _sums(rows: list[Any]) -> dict[str, Any]:
    times = [row.appended_at.isoformat(timespec="milliseconds") for row in (rows[0], rows[-1])]
    names: Iterable[str] = {name for row in rows for name in row.counts}
    sums = {name: sum(row.counts.get(name, 0) for row in rows) for name in names}
    return {**sums, "answers": len(rows), "first_answered_at": times[0], "answered_at": times[1]}
