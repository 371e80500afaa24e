"""Corrections of the past (§5.6.13 to §5.6.16) where it lies in the lake already.

A row of the lake is never changed at once: it is struck in the transaction of the correction, from when on it counts as
gone, and the duty takes it out. An instance that is changed comes back to PostgreSQL, and flows away again with time.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from sanpo.broker.flow import reading, store
from sanpo.ground.db import Transaction


@dataclass(frozen=True)
class Corrected:
    """What the lake holds of a history that this transaction corrects. No row moves until it ends."""

    tx: Transaction
    entity_nos: Collection[int]
    rows: list[dict[str, Any]]

    @staticmethod
    def of(tx: Transaction, entity_nos: Collection[int], attr_no: int | None = None) -> "Corrected":
        """Of all attributes or one. Call it before the rows that are here are touched."""
        store.share(tx)
        return Corrected(tx, entity_nos, reading.rows_of(tx.city, tx, entity_nos, attr_no))

    def find(self, observation_no: int) -> Any | None:
        """One instance, as a row of `broker.observations`."""
        return next((_row(each) for each in self.rows if each["observation_no"] == observation_no), None)

    def strike(self, wanted: Callable[[Any], bool]) -> int:
        """Makes the rows that are wanted count as gone; returns how many it was."""
        gone = [each for each in self.rows if wanted(_row(each))]
        store.strike(self.tx, [{name: each[name] for name in _NAMED} for each in gone])
        return len(gone)

    def strike_all(self) -> int:
        store.forget_flowed(self.tx, self.entity_nos)
        return self.strike(lambda row: True)


_NAMED = ("dataset", "entity_no", "flow_no", "observation_no")


def _row(found: dict[str, Any]) -> Any:
    subjects = found["subjects"]
    about = None if subjects is None else [int(each) for each in subjects[1:-1].split(",")]
    return SimpleNamespace(**{**found, "subjects": about})
