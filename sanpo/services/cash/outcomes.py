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
    SLIP_IS_FORGED = "slip_is_forged"
    SLIP_IS_FOR_ANOTHER_SHOP = "slip_is_for_another_shop"
    SLIP_KEY_IS_UNKNOWN = "slip_key_is_unknown"
    SLIP_IS_SPENT_TWICE = "slip_is_spent_twice"
    SLIP_IS_ABOVE_ITS_LIMIT = "slip_is_above_its_limit"
    SLIP_IS_OVER = "slip_is_over"
    SLIP_KEY_IS_SUSPENDED = "slip_key_is_suspended"
    SLIP_IS_ABOVE_RESERVE = "slip_is_above_reserve"
    ABOVE_SLIP_RESERVE = "above_slip_reserve"
    REQUEST_NOT_FOUND = "request_not_found"
    REQUEST_IS_OWN = "request_is_own"
    REQUEST_IS_ANSWERED = "request_is_answered"
    REQUEST_IS_WITHDRAWN = "request_is_withdrawn"
    REQUEST_IS_OVER = "request_is_over"
    REQUEST_CANNOT_BE_RECEIVED = "request_cannot_be_received"
    """Whether the asker's wallet is stopped or full is not the payer's to know."""
    ABOVE_PAYMENT_LIMIT = "above_payment_limit"
    ABOVE_DAY_LIMIT = "above_day_limit"
    ABOVE_MONTH_LIMIT = "above_month_limit"
    ABOVE_WALLET_LIMIT = "above_wallet_limit"
    MORE_THAN_WAS_PAID = "more_than_was_paid"
    NOT_ENOUGH_MONEY = "not_enough_money"

    @property
    def is_good(self) -> bool:
        return self in (Outcome.DONE, Outcome.EXISTS)
