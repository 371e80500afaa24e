"""Takes one resident out of entities, their histories, the outbox and waiting or dead notifications."""

from collections.abc import Mapping
from typing import Any

from sanpo.broker import store as entities
from sanpo.broker.erasing.store import SQL
from sanpo.broker.flow import store as flow
from sanpo.broker.model import Instance
from sanpo.broker.personal import NUMBER, personal_types
from sanpo.broker.store import decode, encode
from sanpo.ground.db import Transaction


def erase_entities(tx: Transaction, subject_no: int) -> Mapping[str, int]:
    """Erases within the erasure's transaction; returns how much it was, by name.

    What of their history lies in the lake, the lake erases: from here on no row moves there until the transaction ends.
    """
    flow.share(tx)
    nos = [row.entity_no for row in tx.all(SQL.entities_about, subject_no=subject_no)]
    entities.spread_entities(tx, nos)
    about = {"nos": nos, "subject_no": subject_no}
    deleted = int(tx.get(SQL.delete_entities, **about, now=tx.now).n)
    observations = tx.execute(SQL.delete_observations, **about)
    shared = tx.all(SQL.shared_entities, **about)
    for row in shared:
        doc = _without(tx, decode(row.doc), subject_no)
        values = {"entity_no": row.entity_no, "doc": encode(doc).decode(), "subject_no": subject_no}
        tx.execute(SQL.save_shared, **values)
    _leave_history(tx, about, subject_no)
    tx.execute(SQL.delete_changes, subject_no=subject_no)
    told = int(tx.get(SQL.delete_notifications, subject_no=subject_no).n)
    return {
        "entities_deleted": deleted,
        "observations_deleted": observations,
        "entities_left": len(shared),
        "notifications_deleted": told,
    }


def _without(tx: Transaction, doc: Any, subject_no: int) -> Any:
    """The entity as being about the others."""
    for each in personal_types(tx.city).values():
        if each.iri in doc["type"]:
            found = [_left(instance, subject_no) for instance in doc["attrs"].get(each.subject, [])]
            doc["attrs"][each.subject] = [instance for instance in found if instance is not None]
    return doc


def _leave_history(tx: Transaction, about: Mapping[str, Any], subject_no: int) -> None:
    """What is about others too, stays as theirs."""
    for row in tx.all(SQL.naming_observations, nos=about["nos"], naming=f'%"{NUMBER}{subject_no}"%'):
        instance = _left(decode(row.instance), subject_no)
        named = {"entity_no": row.entity_no, "observation_no": row.observation_no}
        if instance is None:
            tx.execute(SQL.delete_instance, **named)
        else:
            tx.execute(SQL.save_instance, **named, instance=encode(instance).decode())
    for sql in (SQL.leave_observations, SQL.leave_departed, SQL.leave_flowed):
        tx.execute(sql, **about)


def _left(instance: Instance, subject_no: int) -> Instance | None:
    """A relationship without this resident; None where it named nobody else."""
    given = instance.get("object")
    named = given if isinstance(given, list) else [given]
    left = [uri for uri in named if uri != f"{NUMBER}{subject_no}"]
    return {**instance, "object": left} if left else None
