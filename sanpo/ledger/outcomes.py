"""Every outcome of a request, in the order in which they are looked for: where several apply, the first is told.

The order is TigerBeetle's. What its types rule out and Python's integers allow is told as `…_out_of_range`.
"""

from enum import Enum


class _Told(Enum):
    """An enumeration whose members carry a sentence."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> "_Told":
        member = object.__new__(cls)
        member._value_ = value
        member.meaning = meaning
        return member


class AccountOutcome(_Told):
    """What became of a request for an account."""

    CREATED = "created", "The account is there now."
    LINKED_EVENT_FAILED = "linked_event_failed", "Another request of its chain failed, so the whole chain did."
    LINKED_EVENT_CHAIN_OPEN = "linked_event_chain_open", "The last request of the batch says that its chain goes on."
    RESERVED_FLAG = "reserved_flag", "A flag is set that has no meaning here, or `closed`, which transfers set."
    ID_OUT_OF_RANGE = "id_out_of_range", "`account_id` is not between 1 and 2^128 − 2."
    USER_DATA_OUT_OF_RANGE = "user_data_out_of_range", "`user_data` is not between 0 and 2^128 − 2."
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = "flags_are_mutually_exclusive", "Both limits of the balance are set."
    LEDGER_OUT_OF_RANGE = "ledger_out_of_range", "`ledger` is not between 1 and 2^31 − 1."
    CODE_OUT_OF_RANGE = "code_out_of_range", "`code` is not between 1 and 2^16 − 1."
    EXISTS_WITH_DIFFERENT_FLAGS = "exists_with_different_flags", "It exists, with other flags."
    EXISTS_WITH_DIFFERENT_USER_DATA = "exists_with_different_user_data", "It exists, with another `user_data`."
    EXISTS_WITH_DIFFERENT_LEDGER = "exists_with_different_ledger", "It exists, in another ledger."
    EXISTS_WITH_DIFFERENT_CODE = "exists_with_different_code", "It exists, with another `code`."
    EXISTS = "exists", "It exists, just as asked for: as good as created."
    LEDGER_NOT_FOUND = "ledger_not_found", "No ledger has this number."


class Outcome(_Told):
    """What became of a request for a transfer."""

    CREATED = "created", "The transfer is made."
    LINKED_EVENT_FAILED = "linked_event_failed", "Another request of its chain failed, so the whole chain did."
    LINKED_EVENT_CHAIN_OPEN = "linked_event_chain_open", "The last request of the batch says that its chain goes on."
    RESERVED_FLAG = "reserved_flag", "A flag is set that has no meaning, or is the ledger's own."
    ID_OUT_OF_RANGE = "id_out_of_range", "`transfer_id` is not between 1 and 2^128 − 2."
    AMOUNT_OUT_OF_RANGE = "amount_out_of_range", "`amount` is not between 0 and 2^63 − 1."
    TIMEOUT_OUT_OF_RANGE = "timeout_out_of_range", "`timeout_s` is not between 0 and 2^32 − 1."
    USER_DATA_OUT_OF_RANGE = "user_data_out_of_range", "`user_data` is not between 0 and 2^128 − 2."
    EXISTS_WITH_DIFFERENT_FLAGS = "exists_with_different_flags", "The id is taken by a transfer with other flags."
    EXISTS_WITH_DIFFERENT_PENDING_ID = "exists_with_different_pending_id", "… with another `pending_id`."
    EXISTS_WITH_DIFFERENT_TIMEOUT = "exists_with_different_timeout", "… with another `timeout_s`."
    EXISTS_WITH_DIFFERENT_DEBIT_ACCOUNT_ID = "exists_with_different_debit_account_id", "… from another account."
    EXISTS_WITH_DIFFERENT_CREDIT_ACCOUNT_ID = "exists_with_different_credit_account_id", "… to another account."
    EXISTS_WITH_DIFFERENT_AMOUNT = (
        "exists_with_different_amount",
        "… with another amount; of a balancing transfer: with more than is asked for now.",
    )
    EXISTS_WITH_DIFFERENT_USER_DATA = "exists_with_different_user_data", "… with another `user_data`."
    EXISTS_WITH_DIFFERENT_LEDGER = "exists_with_different_ledger", "… in another ledger."
    EXISTS_WITH_DIFFERENT_CODE = "exists_with_different_code", "… with another `code`."
    EXISTS = "exists", "This very transfer was made before: as good as created."
    ID_ALREADY_FAILED = (
        "id_already_failed",
        "A transfer of this id failed for what stood in the books then (marked † below). A retry must not come out "
        "otherwise; who means it anew takes a new id.",
    )
    FLAGS_ARE_MUTUALLY_EXCLUSIVE = (
        "flags_are_mutually_exclusive",
        "Only one of `pending`, `post_pending`, `void_pending`; no balancing or closing where one posts or voids.",
    )
    DEBIT_ACCOUNT_ID_OUT_OF_RANGE = "debit_account_id_out_of_range", "It is not between 1 and 2^128 − 2."
    CREDIT_ACCOUNT_ID_OUT_OF_RANGE = "credit_account_id_out_of_range", "It is not between 1 and 2^128 − 2."
    ACCOUNTS_MUST_BE_DIFFERENT = "accounts_must_be_different", "An account cannot pay itself."
    PENDING_ID_MUST_BE_ZERO = "pending_id_must_be_zero", "Only who posts or voids names a pending transfer."
    PENDING_ID_OUT_OF_RANGE = "pending_id_out_of_range", "Who posts or voids names one between 1 and 2^128 − 2."
    PENDING_ID_MUST_BE_DIFFERENT = "pending_id_must_be_different", "It names itself."
    TIMEOUT_RESERVED_FOR_PENDING_TRANSFER = "timeout_reserved_for_pending_transfer", "Only what is pending can lapse."
    CLOSING_TRANSFER_MUST_BE_PENDING = (
        "closing_transfer_must_be_pending",
        "An account is closed by a pending transfer, and opened again by voiding it.",
    )
    LEDGER_OUT_OF_RANGE = "ledger_out_of_range", "`ledger` is not between 1 and 2^31 − 1."
    CODE_OUT_OF_RANGE = "code_out_of_range", "`code` is not between 1 and 2^16 − 1."
    DEBIT_ACCOUNT_NOT_FOUND = "debit_account_not_found", "† There is no such account."
    CREDIT_ACCOUNT_NOT_FOUND = "credit_account_not_found", "† There is no such account."
    ACCOUNTS_MUST_HAVE_THE_SAME_LEDGER = "accounts_must_have_the_same_ledger", "Money is not exchanged by a transfer."
    TRANSFER_MUST_HAVE_THE_SAME_LEDGER_AS_ACCOUNTS = (
        "transfer_must_have_the_same_ledger_as_accounts",
        "The accounts are kept in another unit.",
    )
    PENDING_TRANSFER_NOT_FOUND = "pending_transfer_not_found", "† There is no such transfer."
    PENDING_TRANSFER_NOT_PENDING = "pending_transfer_not_pending", "That transfer is not a pending one."
    PENDING_TRANSFER_HAS_DIFFERENT_DEBIT_ACCOUNT_ID = (
        "pending_transfer_has_different_debit_account_id",
        "The request names another account than the pending transfer.",
    )
    PENDING_TRANSFER_HAS_DIFFERENT_CREDIT_ACCOUNT_ID = (
        "pending_transfer_has_different_credit_account_id",
        "The request names another account than the pending transfer.",
    )
    PENDING_TRANSFER_HAS_DIFFERENT_LEDGER = "pending_transfer_has_different_ledger", "… another ledger."
    PENDING_TRANSFER_HAS_DIFFERENT_CODE = "pending_transfer_has_different_code", "… another `code`."
    EXCEEDS_PENDING_TRANSFER_AMOUNT = "exceeds_pending_transfer_amount", "More than is pending."
    PENDING_TRANSFER_HAS_DIFFERENT_AMOUNT = (
        "pending_transfer_has_different_amount",
        "A void releases the whole; who wants a part posts the other part.",
    )
    PENDING_TRANSFER_ALREADY_POSTED = "pending_transfer_already_posted", "It was posted by another transfer."
    PENDING_TRANSFER_ALREADY_VOIDED = "pending_transfer_already_voided", "It was voided by another transfer."
    PENDING_TRANSFER_EXPIRED = "pending_transfer_expired", "Its time was over."
    DEBIT_ACCOUNT_ALREADY_CLOSED = "debit_account_already_closed", "† The account is closed; only voiding goes on."
    CREDIT_ACCOUNT_ALREADY_CLOSED = "credit_account_already_closed", "† The account is closed; only voiding goes on."
    OVERFLOWS_DEBITS_PENDING = "overflows_debits_pending", "The debit account's sum would pass 2^63 − 1."
    OVERFLOWS_CREDITS_PENDING = "overflows_credits_pending", "The credit account's sum would pass 2^63 − 1."
    OVERFLOWS_DEBITS_POSTED = "overflows_debits_posted", "The debit account's sum would pass 2^63 − 1."
    OVERFLOWS_CREDITS_POSTED = "overflows_credits_posted", "The credit account's sum would pass 2^63 − 1."
    OVERFLOWS_DEBITS = "overflows_debits", "The debit account's pending and posted sums together would."
    OVERFLOWS_CREDITS = "overflows_credits", "The credit account's pending and posted sums together would."
    EXCEEDS_CREDITS = (
        "exceeds_credits",
        "† The debit account may not spend more than it has: its debits, pending ones too, would exceed its credits.",
    )
    EXCEEDS_DEBITS = (
        "exceeds_debits",
        "† The credit account may not take more than it gave: its credits, pending ones too, would exceed its debits.",
    )

    @property
    def is_done(self) -> bool:
        """Whether the transfer stands in the books, now or since before."""
        return self in (Outcome.CREATED, Outcome.EXISTS)

    @property
    def is_transient(self) -> bool:
        """Whether it depended on what stood in the books; its id is then used up."""
        return self.meaning.startswith("†")
