"""What has expired is forgotten: the one job of this district."""

from datetime import timedelta

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.people.sign_in import SIGN_IN
from sanpo.people.store import SQL

KEEP_ENDED = timedelta(days=30)


def forget_expired(city: City) -> None:
    """Closes the terms of representatives that ran out, so that names are no longer shown to each other, and deletes
    challenges, links, tokens, sessions and counts of failures that are of no use any more."""
    with city.transaction(System("jobs")) as tx:
        tx.execute(SQL.end_past_representations, at=tx.now)
    with city.transaction(SIGN_IN) as tx:
        tx.execute(SQL.sweep_challenges, at=tx.now)
        tx.execute(SQL.sweep_attempts, at=tx.now)
        tx.execute(SQL.sweep_assertions, at=tx.now)
        tx.execute(SQL.sweep_links, before=tx.now - KEEP_ENDED)
        tx.execute(SQL.sweep_tokens, before=tx.now - KEEP_ENDED)
        tx.execute(SQL.sweep_sessions, before=tx.now - KEEP_ENDED)
