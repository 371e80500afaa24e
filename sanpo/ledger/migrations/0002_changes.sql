-- What each transfer did to the sums of the two accounts it touched: the sums at any moment are today's less what came later.
create view ledger.changes as
select debit_account_no as account_no, at, transfer_no,
  case when flags & 2 <> 0 then amount else 0 end - coalesce(released, 0) as debits_pending,
  case when flags & 266 = 0 then amount else 0 end as debits_posted, 0::bigint as credits_pending, 0::bigint as credits_posted
from ledger.transfers
union all
select credit_account_no, at, transfer_no, 0, 0,
  case when flags & 2 <> 0 then amount else 0 end - coalesce(released, 0), case when flags & 266 = 0 then amount else 0 end
from ledger.transfers;
