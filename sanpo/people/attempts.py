"""A brake on guessing: after ten failures within a minute a client or passkey waits until the minute is over.

Secrets have 256 random bits, so this guards the machine's time more than the secret. One-time links have no brake:
a failed guess names no account to protect, and there is none that could be locked out by a stranger.
"""

from datetime import timedelta
from math import ceil

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.people.errors import TooManyAttempts
from sanpo.people.store import SQL

MOST_FAILURES = 10
WINDOW = timedelta(minutes=1)


def check_attempts(tx: Transaction, key: str) -> None:
    """Raises `TooManyAttempts` while `key` must wait."""
    row = tx.one(SQL.blocked_until, key=key, most=MOST_FAILURES, at=tx.now)
    if row is not None:
        raise TooManyAttempts(retry_after_s=ceil((row.window_until - tx.now).total_seconds()))


def count_failure(city: City, key: str) -> None:
    """Remembers a failure, in a transaction of its own: the refusal that follows must not undo it."""
    with city.transaction(System("sign_in")) as tx:
        tx.execute(SQL.count_failure, key=key, at=tx.now, window_until=tx.now + WINDOW)
