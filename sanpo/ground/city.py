"""The city in hand: what every action stands on, opened once per process."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sanpo.ground.actors import Actor
from sanpo.ground.clock import Clock
from sanpo.ground.config import Settings
from sanpo.ground.db import Database, Transaction
from sanpo.ground.keys import Keys
from sanpo.ground.outbox import Outbox
from sanpo.ground.payouts import Payer
from sanpo.ground.plugins import Plugins
from sanpo.ground.words import Words

Eraser = Callable[[Transaction, int], Mapping[str, int]]
"""What a district brings to the erasure of a resident, by subject number: it returns how much it deleted, by name."""


@dataclass(frozen=True)
class City:
    """Settings, stores, keys and words of one city, who takes part in an erasure, and who pays for uses. Immutable; safe to
    share between threads.
    """

    settings: Settings
    db: Database
    clock: Clock
    keys: Keys
    words: Words
    plugins: Plugins
    outbox: Outbox
    erasers: tuple[Eraser, ...] = ()
    payer: Payer | None = None

    @property
    def lake_url(self) -> str:
        return self.settings.lake

    def now(self) -> datetime:
        return self.clock.now()

    @contextmanager
    def transaction(self, actor: Actor) -> Iterator[Transaction]:
        """One transaction of `actor`; commits when the block ends, rolls back when it raises."""
        with self.db.transaction(self, actor, self.clock.now()) as tx:
            yield tx
