"""What can become of a payment, a charge or a refund, in the order in which it is looked for: the first is told."""

from enum import Enum


class Outcome(Enum):
    """`value` is the code; `cash.outcome.<code>` in the words says it to people."""

    DONE = "done"
    EXISTS = "exists"
    """The same was asked for before and done; nothing moved now."""
    EXISTS_WITH_ANOTHER_AMOUNT = "exists_with_another_amount"
    SHOP_NOT_FOUND = "shop_not_found"
    SHOP_IS_SUSPENDED = "shop_is_suspended"
    WALLET_IS_SUSPENDED = "wallet_is_suspended"
    BILL_NOT_FOUND = "bill_not_found"
    BILL_IS_PAID = "bill_is_paid"
    BILL_IS_OVER = "bill_is_over"
    CODE_NOT_FOUND = "code_not_found"
    CODE_IS_USED = "code_is_used"
    CODE_IS_OVER = "code_is_over"
    PAYMENT_NOT_FOUND = "payment_not_found"
    ABOVE_PAYMENT_LIMIT = "above_payment_limit"
    ABOVE_DAY_LIMIT = "above_day_limit"
    ABOVE_MONTH_LIMIT = "above_month_limit"
    ABOVE_WALLET_LIMIT = "above_wallet_limit"
    MORE_THAN_WAS_PAID = "more_than_was_paid"
    NOT_ENOUGH_MONEY = "not_enough_money"

    @property
    def is_good(self) -> bool:
        return self in (Outcome.DONE, Outcome.EXISTS)
