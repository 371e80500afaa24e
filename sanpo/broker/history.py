"""The history's side of writing: what was noted in one row for many attributes becomes one row for each.

A write of many attributes notes itself once, which is cheap where it must be; whoever reads the history of entities
calls `prepare` first, and what nobody reads, the duty spreads.
"""

from collections.abc import Sequence

from sanpo.broker import store
from sanpo.broker.sight import DUTY
from sanpo.ground.city import City

MOST_ROUNDS = 20
ROUND = 5_000


def spread(city: City) -> int:
    """Spreads what is due, some rounds at the most; returns how many writes it was."""
    total = 0
    for _ in range(MOST_ROUNDS):
        with city.transaction(DUTY) as tx:
            done = store.spread(tx, ROUND)
        total += done
        if done < ROUND:
            break
    return total


def prepare(city: City, entity_nos: Sequence[int]) -> None:
    """Brings the observations of these entities up to date. Call it before the transaction that reads them."""
    with city.transaction(DUTY) as tx:
        store.spread_entities(tx, entity_nos)
