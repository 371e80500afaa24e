"""Reads the books past the code under test."""

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ledger import Balance

BALANCE = (
    "select debits_pending, debits_posted, credits_pending, credits_posted from ledger.accounts"
    " where account_id = %(id)s::uuid"
)
AUDIT = """
with moved as (
  select ledger, debit_account_no as account_no, amount, coalesce(released, 0) as released, flags, 1 as side
  from ledger.transfers
  union all
  select ledger, credit_account_no, amount, coalesce(released, 0), flags, -1 from ledger.transfers
), summed as (
  select account_no,
    sum(case when side = 1 and flags & 2 <> 0 then amount when side = 1 then -released else 0 end) as debits_pending,
    sum(case when side = 1 and flags & (2 | 8 | 256) = 0 then amount else 0 end) as debits_posted,
    sum(case when side = -1 and flags & 2 <> 0 then amount when side = -1 then -released else 0 end) as credits_pending,
    sum(case when side = -1 and flags & (2 | 8 | 256) = 0 then amount else 0 end) as credits_posted
  from moved group by account_no
)
select a.account_no from ledger.accounts a left join summed s using (account_no)
where (a.debits_pending, a.debits_posted, a.credits_pending, a.credits_posted) is distinct from
  (coalesce(s.debits_pending, 0), coalesce(s.debits_posted, 0), coalesce(s.credits_pending, 0), coalesce(s.credits_posted, 0))
  or (flags & 2 <> 0 and a.debits_pending + a.debits_posted > a.credits_posted)
  or (flags & 4 <> 0 and a.credits_pending + a.credits_posted > a.debits_posted)
"""
TOTALS = (
    "select coalesce(sum(debits_posted - credits_posted), 0) as posted,"
    " coalesce(sum(debits_pending - credits_pending), 0) as pending from ledger.accounts"
)


def balance_of(city: City, account_id: int) -> Balance:
    with city.transaction(System("test")) as tx:
        return Balance(*tx.get(BALANCE, id=f"{account_id:032x}"))


def check_sums(city: City) -> None:
    """Every account's sums are those of its transfers, within its limits, and all together they are zero."""
    with city.transaction(System("test")) as tx:
        assert tx.all(AUDIT) == []
        assert tuple(tx.get(TOTALS)) == (0, 0)
