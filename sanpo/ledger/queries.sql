-- name: insert_ledger
insert into ledger.ledgers (ledger, currency, exponent, name) values (%(ledger)s, %(currency)s, %(exponent)s, %(name)s)
on conflict (ledger) do nothing

-- name: ledgers
select ledger, currency, exponent, name from ledger.ledgers order by ledger

-- name: lock_accounts
-- Lock by number, so that two batches cannot wait for each other; the second lock is against a day's close.
select w.place - 1 as place, a.account_no, a.ledger, a.flags::int, a.debits_pending, a.debits_posted,
  a.credits_pending, a.credits_posted, a.changed_at
from unnest(%(account_ids)s::uuid[]) with ordinality as w (account_id, place)
join ledger.accounts a using (account_id)
cross join (select pg_advisory_xact_lock_shared(5718340411)) as held
order by a.account_no for update of a

-- name: accounts_of_pending
select d.account_id as debit_account_id, c.account_id as credit_account_id
from ledger.transfers t
join ledger.accounts d on d.account_no = t.debit_account_no
join ledger.accounts c on c.account_no = t.credit_account_no
where t.transfer_id = any (%(pending_ids)s::uuid[])

-- name: look_up
-- After the locks, and so with what was committed while they were waited for. There is one row at least.
select (select max(closed_until) from ledger.closes) as closed_until, f.*
from (values (1)) as one left join (
  select t.transfer_id, d.account_id as debit_account_id, c.account_id as credit_account_id, t.amount, t.ledger, t.code,
    t.flags::int, t.pending_id, coalesce(t.timeout_s, 0) as timeout_s, t.user_data, t.at, r.flags::int as resolver
  from unnest(%(transfer_ids)s::uuid[]) as w (transfer_id)
  join ledger.transfers t using (transfer_id)
  join ledger.accounts d on d.account_no = t.debit_account_no
  join ledger.accounts c on c.account_no = t.credit_account_no
  left join ledger.transfers r on r.pending_id = t.transfer_id
  union all
  select x.transfer_id, null, null, null, null, null, null, null, null, null, null, null
  from unnest(%(transfer_ids)s::uuid[]) as w (transfer_id) join ledger.failures x using (transfer_id)
) as f on true

-- name: write
with batch as materialized (select nextval('ledger.batches') * 8192 as first),
made as (
  insert into ledger.transfers (transfer_no, transfer_id, debit_account_no, credit_account_no, amount, released, at,
    timeout_s, ledger, code, flags, pending_id, user_data)
  select batch.first + t.place, t.transfer_id, t.debit_no, t.credit_no, t.amount, t.released, %(at)s,
    nullif(t.timeout_s, 0), t.ledger, t.code, t.flags, t.pending_id, t.user_data
  from batch cross join unnest(%(transfer_ids)s::uuid[], %(debit_nos)s::bigint[], %(credit_nos)s::bigint[],
    %(amounts)s::bigint[], %(released)s::bigint[], %(timeouts)s::bigint[], %(ledgers)s::int[], %(codes)s::int[],
    %(flags)s::smallint[], %(pending_ids)s::uuid[], %(user_data)s::uuid[]) with ordinality
    as t (transfer_id, debit_no, credit_no, amount, released, timeout_s, ledger, code, flags, pending_id, user_data, place)
),
changed as (
  update ledger.accounts a set changed_at = %(at)s, flags = u.flags, debits_pending = u.debits_pending,
    debits_posted = u.debits_posted, credits_pending = u.credits_pending, credits_posted = u.credits_posted
  from unnest(%(account_nos)s::bigint[], %(account_flags)s::smallint[], %(debits_pending)s::bigint[],
    %(debits_posted)s::bigint[], %(credits_pending)s::bigint[], %(credits_posted)s::bigint[])
    as u (account_no, flags, debits_pending, debits_posted, credits_pending, credits_posted)
  where a.account_no = u.account_no
)
select first from batch

-- name: write_balances
insert into ledger.balances (account_no, at, transfer_no, debits_pending, debits_posted, credits_pending, credits_posted)
select account_no, %(at)s, transfer_no, debits_pending, debits_posted, credits_pending, credits_posted
from unnest(%(account_nos)s::bigint[], %(transfer_nos)s::bigint[], %(debits_pending)s::bigint[],
  %(debits_posted)s::bigint[], %(credits_pending)s::bigint[], %(credits_posted)s::bigint[])
  as b (account_no, transfer_no, debits_pending, debits_posted, credits_pending, credits_posted)

-- name: write_timeouts
insert into ledger.timeouts (transfer_id, expires_at)
select transfer_id, %(at)s::timestamptz + timeout_s * interval '1 second'
from unnest(%(transfer_ids)s::uuid[], %(timeouts)s::bigint[]) as t (transfer_id, timeout_s)

-- name: drop_timeouts
delete from ledger.timeouts where transfer_id = any (%(transfer_ids)s::uuid[])

-- name: write_failures
insert into ledger.failures (transfer_id, at) select transfer_id, %(at)s from unnest(%(transfer_ids)s::uuid[]) as f (transfer_id)

-- name: due
select transfer_id from ledger.timeouts where expires_at <= %(now)s order by expires_at, transfer_id limit %(limit)s

-- name: accounts_by_id
select account_id, ledger, code, flags::int, user_data from ledger.accounts where account_id = any (%(account_ids)s::uuid[])

-- name: insert_accounts
with made as (
  insert into ledger.accounts (account_id, ledger, code, flags, user_data, created_at, changed_at)
  select account_id, ledger, code, flags, user_data, %(at)s, %(at)s
  from unnest(%(account_ids)s::uuid[], %(ledgers)s::int[], %(codes)s::int[], %(flags)s::smallint[], %(user_data)s::uuid[])
    as a (account_id, ledger, code, flags, user_data)
  returning account_no, account_id
)
insert into ledger.holders (account_no, subject_no, organisation_no)
select m.account_no, h.subject_no, h.organisation_no
from made m join unnest(%(account_ids)s::uuid[], %(subject_nos)s::int[], %(organisation_nos)s::int[])
  as h (account_id, subject_no, organisation_no) using (account_id)
where num_nonnulls(h.subject_no, h.organisation_no) = 1
