"""Single writes that ride together: those of one writer that arrive while a transaction commits share the next one.

A commit is a flush and three round trips, which cost more than a change does. Each still gets its own outcome: what one
may not do, or what PostgreSQL does not take of it, holds up none of the others.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg

from sanpo.broker import store
from sanpo.broker.changing import Change
from sanpo.broker.store import Stored
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError
from sanpo.ground.rounds import Rounds

MOST = 64
Subjects = Sequence[int] | None
_T = TypeVar("_T")
_Answers = Sequence[Any]
Make = Callable[[Stored], tuple[Change, Subjects]]
"""Changes a stored entity in place, and says whom it is about then. Raises `DomainError`: then it is left as it is."""


@dataclass(frozen=True)
class Writer:
    """Who writes where."""

    city: City
    actor: Actor
    tenant_no: int


@dataclass(frozen=True)
class _Creation:
    doc: Any
    subjects: Subjects


@dataclass(frozen=True)
class _Wish:
    entity_id: str
    make: Make


def create(writer: Writer, doc: Any, subjects: Subjects) -> bool:
    """Stores a new entity with its change and history; False where the id is taken."""

    def work(tx: Transaction, items: Sequence[_Creation]) -> _Answers:
        first = {each.doc["id"]: each for each in reversed(items)}
        docs = [each.doc for each in first.values()]
        free = store.create_many(tx, writer.tenant_no, docs, lambda doc: first[doc["id"]].subjects)
        return [each is first[each.doc["id"]] and each.doc["id"] in free for each in items]

    return bool(_ride(writer, "create", _Creation(doc, subjects), work))


def change(writer: Writer, entity_id: str, make: Make) -> Change | None:
    """Lets `make` change the entity under a lock, and stores it with its change and history; None where there is none.

    Raises what `make` raises: then nothing is changed.
    """

    def work(tx: Transaction, items: Sequence[_Wish]) -> _Answers:
        answers: dict[int, Any] = {}
        waiting = list(items)
        while waiting:  # who wants the same entity sees what was made of it before
            first = {each.entity_id: each for each in reversed(waiting)}
            _change_all(tx, writer.tenant_no, first, answers)
            waiting = [each for each in waiting if id(each) not in answers]
        return [answers[id(each)] for each in items]

    found: Change | None = _ride(writer, "change", _Wish(entity_id, make), work)
    return found


def _change_all(tx: Transaction, tenant_no: int, wishes: dict[str, _Wish], answers: dict[int, Any]) -> None:
    there = store.lock_all(tx, tenant_no, list(wishes))
    saved: list[tuple[Stored, Change]] = []
    whose: dict[str, Subjects] = {}
    for entity_id, wish in wishes.items():
        found = there.get(entity_id)
        if found is None:
            answers[id(wish)] = None
            continue
        try:
            change, whose[entity_id] = wish.make(found)
        except DomainError as error:
            answers[id(wish)] = error
            continue
        answers[id(wish)] = change
        if not change.is_empty:
            saved.append((found, change))
    store.save_many(tx, saved, lambda doc: whose[doc["id"]])


def _ride(writer: Writer, kind: str, item: _T, work: Callable[[Transaction, Sequence[_T]], _Answers]) -> Any:
    """The answer to the item; raises it where it is an error."""

    def together(items: Sequence[_T]) -> _Answers:
        try:
            with writer.city.transaction(writer.actor) as tx:
                return work(tx, items)
        except psycopg.DatabaseError as error:
            if len(items) == 1:
                return [error]
            return [answer for each in items for answer in together([each])]

    rounds: Rounds[Any, Any] = writer.city.__dict__.setdefault("_broker_rides", Rounds(MOST))
    key: Hashable = (kind, writer.actor, writer.tenant_no)
    answer = rounds.ask(key, item, together)
    if isinstance(answer, Exception):
        raise answer
    return answer
