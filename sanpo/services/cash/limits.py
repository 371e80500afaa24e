"""How much a resident may pay at once, in a day, in a month: to shops and to others together."""

from typing import Any

from sanpo.ground.db import Transaction
from sanpo.services.cash.model import rules
from sanpo.services.cash.outcomes import Outcome
from sanpo.services.cash.store import SQL
from sanpo.services.cash.wallets import Refusal, refuse


def check_limits(tx: Transaction, subject_no: int, amount_yen: int) -> None:
    """Raises `refuse` for a wallet that is stopped, and for more than may be paid, which is kept for the officers' report.

    The wallet is locked.
    """
    limits = rules()
    day = tx.now.astimezone(tx.city.settings.zone).replace(hour=0, minute=0, second=0, microsecond=0)
    spent: Any = tx.get(SQL.spent, subject_no=subject_no, day=day, month=day.replace(day=1))
    if spent.is_suspended:
        raise refuse(Outcome.WALLET_IS_SUSPENDED)
    for outcome, yen, limit in (
        (Outcome.ABOVE_PAYMENT_LIMIT, 0, limits.payment_limit_yen),
        (Outcome.ABOVE_DAY_LIMIT, spent.day_yen, limits.day_limit_yen),
        (Outcome.ABOVE_MONTH_LIMIT, spent.month_yen, limits.month_limit_yen),
    ):
        if yen + amount_yen > limit:
            raise refuse(outcome, Refusal(subject_no, amount_yen))
