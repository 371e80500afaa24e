"""Payments that ride together: those that arrive while a transaction commits share the next one, and its transfers one post.

All customers of a busy shop pay into one account, which is locked from the posting to the commit: one commit for many makes
the queue before it short. What is refused, for whatever reason, rides alone: nobody's refusal takes back another's payment.
"""

from collections.abc import Callable, Sequence
from itertools import chain as joined

from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.rounds import Rounds
from sanpo.ledger import Transfer, post_in
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.wallets import SERVICE, booked, outcome_of, post_chain, prepare

Chain = Sequence[Transfer]
Work = Callable[[Transaction], Outcome | Chain]
"""Writes all of a payment but its transfers, which it gives back; or says what has become of it, and has written nothing."""
MOST = 32


def booked_together(city: City, work: Work) -> Outcome:
    """As `booked`, in a transaction with others. Raises what `work` raises, and `LedgerIsBusy`."""
    prepare(city)
    rounds: Rounds[Work, Outcome | Exception] = city.__dict__.setdefault("_cash_rides", Rounds(MOST))
    found = rounds.ask("", work, lambda works: _together(city, works))
    if isinstance(found, Exception):
        raise found
    return found


def book_all(city: City, works: Sequence[Work]) -> list[Outcome]:
    """Books all in one transaction, in order, or none. Raises what a work raises, and `LedgerIsBusy`."""
    prepare(city)
    with city.transaction(SERVICE) as tx:
        return _post(tx, [work(tx) for work in works])


def _together(city: City, works: Sequence[Work]) -> Sequence[Outcome | Exception]:
    if len(works) > 1:
        try:
            return book_all(city, works)
        except Exception:  # noqa: S110  # whose it is comes out when each rides alone
            pass
    return [_alone(city, work) for work in works]


def _post(tx: Transaction, made: Sequence[Outcome | Chain]) -> list[Outcome]:
    chains = [each for each in made if not isinstance(each, Outcome)]
    posted = iter(post_in(tx, list(joined.from_iterable(chains))))
    return [each if isinstance(each, Outcome) else outcome_of([next(posted) for _ in each]) for each in made]


def _alone(city: City, work: Work) -> Outcome | Exception:
    def whole(tx: Transaction) -> Outcome:
        found = work(tx)
        return found if isinstance(found, Outcome) else post_chain(tx, found)

    try:
        return booked(city, whole)
    except Exception as error:
        return error
