"""Nouns of the requests and their pure rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sanpo.services.cash.model import check_amount
from sanpo.services.cash.requests.errors import RequestIsInvalid

SHARE = 40
"""Code of the transfers."""
MOST_SHARES, MOST_NOTE = 30, 60


@dataclass(frozen=True)
class Share:
    """What one is asked for. `code` is handed over by who asks; who holds it may pay, once. `state`: open, over, paid,
    declined or withdrawn."""

    share_no: int
    amount_yen: int
    state: str
    code: str
    answered_at: datetime | None


@dataclass(frozen=True)
class Request:
    """A request as its asker sees it."""

    request_id: str
    note: str
    asked_at: datetime
    expires_at: datetime
    shares: Sequence[Share]


@dataclass(frozen=True)
class Asked:
    """A share as the holder of its code sees it; who asks is not told by the city."""

    amount_yen: int
    note: str
    state: str
    expires_at: datetime


@dataclass(frozen=True)
class Given:
    """A share that the resident paid."""

    request_id: str
    amount_yen: int
    note: str
    paid_at: datetime


def check_request(amounts_yen: Sequence[int], note: str) -> None:
    """Raises `RequestIsInvalid`, `AmountIsInvalid`."""
    if not 1 <= len(amounts_yen) <= MOST_SHARES:
        raise RequestIsInvalid(field="amounts_yen", problem=f"must be 1 to {MOST_SHARES}")
    if len(note) > MOST_NOTE or not (note.isprintable()):
        raise RequestIsInvalid(field="note", problem=f"must be at most {MOST_NOTE} characters on one line")
    for yen in amounts_yen:
        check_amount(yen)


def split_yen(amount_yen: int, people: int) -> list[int]:
    """What each of the others pays of what one has paid for all; a rest that cannot be divided stays with who paid.

    Raises `RequestIsInvalid`.
    """
    if not 2 <= people <= MOST_SHARES + 1:
        raise RequestIsInvalid(field="people", problem=f"must be 2 to {MOST_SHARES + 1}")
    if amount_yen < people:
        raise RequestIsInvalid(field="people", problem="are more than there are yen")
    return [amount_yen // people] * (people - 1)


def state_at(state: str, expires_at: datetime, now: datetime) -> str:
    return "over" if state == "open" and expires_at <= now else state
