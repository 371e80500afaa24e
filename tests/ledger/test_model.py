"""The evaluation in memory, and the database, against the plain model: whatever is asked for, in whatever order."""

from datetime import datetime, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ledger import Account, Balance, Transfer, create_accounts, post
from sanpo.ledger.books import Books, Standing
from sanpo.ledger.evaluation import evaluate, expire
from sanpo.ledger.posting import expire_pending
from sanpo.ledger.reading import balance_at
from tests.conftest import START
from tests.ledger.books import balance_of, check_sums
from tests.ledger.plain import MOST, PlainLedger
from tests.world import OPERATOR

ACCOUNTS = [Account(1, 1, 1), Account(2, 1, 1, 2), Account(3, 1, 1, 4), Account(4, 2, 1), Account(5, 1, 1, 8)]
FEW = st.sampled_from([1, 2, 5, 1, 2, 5, 3, 4, 9, 0])
FLAGS = st.sampled_from(
    [0] * 8 + [2] * 6 + [4] * 5 + [8] * 4 + [1] * 3 + [16, 32, 48, 66, 130, 3, 5, 9, 64, 12, 18, 6, 512]
)
AMOUNTS = st.sampled_from([0, 1, 1, 2, 3, 5, 8, MOST, MOST - 3, -1, MOST + 1])
MOVES = st.builds(
    Transfer,
    transfer_id=st.integers(1, 25),
    debit_account_id=FEW,
    credit_account_id=FEW,
    amount=AMOUNTS,
    ledger=st.sampled_from([1] * 9 + [2, 0]),
    code=st.sampled_from([1] * 9 + [2, 0]),
    flags=FLAGS,
    pending_id=st.sampled_from([0] * 9 + [1]),
    timeout_s=st.sampled_from([0, 0, 0, 1, 2]),
    user_data=st.sampled_from([0, 0, 0, 1]),
)
ENDS = st.builds(
    Transfer,
    transfer_id=st.integers(1, 40),
    debit_account_id=st.sampled_from([0] * 9 + [1]),
    credit_account_id=st.sampled_from([0] * 9 + [2]),
    amount=st.sampled_from([0, 0, 1, 2, MOST, MOST]),
    ledger=st.sampled_from([0] * 9 + [1, 2]),
    code=st.sampled_from([0] * 9 + [1, 2]),
    flags=st.sampled_from([4, 4, 8, 5, 9]),
    pending_id=st.integers(1, 25),
)
BATCHES = st.lists(st.one_of(MOVES, MOVES, ENDS), min_size=1, max_size=8)
STEPS = st.lists(st.one_of(BATCHES, BATCHES, BATCHES, st.sampled_from(["wait", "expire"])), min_size=1, max_size=10)


def fresh(batch: list[Transfer]) -> list[Transfer]:
    """Objects of their own: the plain model knows the last of a batch by its identity."""
    return [msgspec.structs.replace(each) for each in batch]


class InMemory:
    """The books of evaluation.py kept whole in memory."""

    def __init__(self) -> None:
        self.books = Books(START)
        self.books.accounts = {a.account_id: Standing(a.account_id, a.ledger, a.flags) for a in ACCOUNTS}

    def post(self, batch: list[Transfer]) -> object:
        mark = len(self.books.made)
        outcomes = evaluate(self.books, batch)
        for made in self.books.made[mark:]:
            self.books.made_at[made.transfer.transfer_id] = self.books.at
        return outcomes

    def expire(self) -> None:
        books = self.books
        for made in list(books.made):
            pending = made.transfer
            if pending.flags & 2 and pending.timeout_s and pending.transfer_id not in books.resolved:
                at = books.made_at[pending.transfer_id]
                if at + timedelta(seconds=pending.timeout_s) <= books.at:
                    expire(books, pending, 10**6 + pending.transfer_id)


@given(STEPS)
@settings(max_examples=10 * settings().max_examples)
def test_evaluation_agrees_with_the_plain_model(steps: list) -> None:  # type: ignore[type-arg]
    plain, ours = PlainLedger({each.account_id: each for each in ACCOUNTS}), InMemory()
    for step in steps:
        if step == "wait":
            ours.books.at += timedelta(seconds=1)
        elif step == "expire":
            ours.expire()
            plain.lapse(ours.books.at)
        else:
            batch = fresh(step)
            assert ours.post(batch) == plain.post(batch, ours.books.at)
        for number, standing in ours.books.accounts.items():
            assert standing.balance == Balance(*plain.sums(number))


@given(STEPS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_database_agrees_with_the_plain_model(bank: City, clock: FixedClock, steps: list) -> None:  # type: ignore[type-arg]
    """Each example on accounts and ids of its own: the books cannot be emptied."""
    with bank.transaction(OPERATOR) as tx:
        offset = 1000 * (int(tx.get("select count(*) as n from ledger.accounts").n) + 1)

    def moved(number: int) -> int:
        return number + offset if number else 0

    create_accounts(bank, [msgspec.structs.replace(each, account_id=moved(each.account_id)) for each in ACCOUNTS])
    plain = PlainLedger({each.account_id: each for each in ACCOUNTS})
    before: list[tuple[datetime, int, Balance]] = []
    for step in steps:
        if step == "wait":
            before += [(bank.now(), a.account_id, Balance(*plain.sums(a.account_id))) for a in ACCOUNTS]
            clock.advance(seconds=1)
        elif step == "expire":
            expire_pending(bank)
            plain.lapse(bank.now())
        else:
            batch = fresh(step)
            sent = [
                msgspec.structs.replace(
                    each,
                    transfer_id=moved(each.transfer_id),
                    debit_account_id=moved(each.debit_account_id),
                    credit_account_id=moved(each.credit_account_id),
                    pending_id=moved(each.pending_id),
                )
                for each in batch
            ]
            assert post(bank, sent) == plain.post(batch, bank.now())
    for account in ACCOUNTS:
        assert balance_of(bank, moved(account.account_id)) == Balance(*plain.sums(account.account_id))
    check_sums(bank)
    assert [balance_at(bank, OPERATOR, moved(number), at) for at, number, _ in before] == [sums for *_, sums in before]
