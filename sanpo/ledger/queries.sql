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

-- name: find_account
select a.account_no, a.account_id, a.ledger, a.code, a.flags::int, a.user_data, a.debits_pending, a.debits_posted,
  a.credits_pending, a.credits_posted, a.created_at, h.subject_no, h.organisation_no
from ledger.accounts a left join ledger.holders h using (account_no) where a.account_id = %(account_id)s::uuid

-- name: accounts_of_residents
select a.account_id from ledger.holders h join ledger.accounts a using (account_no)
where a.account_id = any(%(account_ids)s::uuid[]) and h.subject_no <> %(but)s

-- name: own_accounts
select a.account_no, a.account_id, a.ledger, a.code, a.flags::int, a.user_data, a.debits_pending, a.debits_posted,
  a.credits_pending, a.credits_posted, a.created_at, h.subject_no, h.organisation_no
from ledger.holders h join ledger.accounts a using (account_no)
where h.subject_no = %(subject_no)s or h.organisation_no = %(organisation_no)s order by a.account_no

-- name: accounts_page
select a.account_no, a.account_id, a.ledger, a.code, a.flags::int, a.user_data, a.debits_pending, a.debits_posted,
  a.credits_pending, a.credits_posted, a.created_at, null::int as subject_no, null::int as organisation_no
from ledger.accounts a
where a.account_id > %(after)s::uuid and (%(ledger)s::int is null or a.ledger = %(ledger)s)
order by a.account_id limit %(limit)s

-- name: find_transfer
select t.transfer_no, t.transfer_id, d.account_id as debit_account_id, c.account_id as credit_account_id, t.amount, t.ledger,
  t.code, t.flags::int, t.pending_id, coalesce(t.timeout_s, 0) as timeout_s, t.user_data, t.at
from ledger.transfers t
join ledger.accounts d on d.account_no = t.debit_account_no join ledger.accounts c on c.account_no = t.credit_account_no
where t.transfer_id = %(transfer_id)s::uuid

-- name: history_at
select debits_pending, debits_posted, credits_pending, credits_posted from ledger.balances
where account_no = %(account_no)s and at <= %(at)s order by at desc, transfer_no desc limit 1

-- name: balance_at
-- One snapshot: today's sums, and what came after.
select (a.debits_pending - coalesce(s.debits_pending, 0))::bigint as debits_pending,
  (a.debits_posted - coalesce(s.debits_posted, 0))::bigint as debits_posted,
  (a.credits_pending - coalesce(s.credits_pending, 0))::bigint as credits_pending,
  (a.credits_posted - coalesce(s.credits_posted, 0))::bigint as credits_posted
from ledger.accounts a cross join (
  select sum(debits_pending) as debits_pending, sum(debits_posted) as debits_posted,
    sum(credits_pending) as credits_pending, sum(credits_posted) as credits_posted
  from ledger.changes where account_no = %(account_no)s and at > %(at)s
) as s
where a.account_no = %(account_no)s

-- name: statement
with lines as (
  (select t.*, 'debit' as side from ledger.transfers t
   where debit_account_no = %(account_no)s and (at, transfer_no) > (%(after_at)s, %(after_no)s) and at < %(until)s
   order by at, transfer_no limit %(limit)s)
  union all
  (select t.*, 'credit' from ledger.transfers t
   where credit_account_no = %(account_no)s and (at, transfer_no) > (%(after_at)s, %(after_no)s) and at < %(until)s
   order by at, transfer_no limit %(limit)s)
  order by at, transfer_no limit %(limit)s
)
select l.transfer_no, l.transfer_id, d.account_id as debit_account_id, c.account_id as credit_account_id, l.amount, l.ledger,
  l.code, l.flags::int, l.pending_id, coalesce(l.timeout_s, 0) as timeout_s, l.user_data, l.at, l.side,
  b.debits_pending, b.debits_posted, b.credits_pending, b.credits_posted
from lines l
join ledger.accounts d on d.account_no = l.debit_account_no join ledger.accounts c on c.account_no = l.credit_account_no
left join ledger.balances b on b.account_no = %(account_no)s and b.at = l.at and b.transfer_no = l.transfer_no
order by l.at, l.transfer_no

-- name: statement_backwards
with lines as (
  (select t.*, 'debit' as side from ledger.transfers t
   where debit_account_no = %(account_no)s and (at, transfer_no) < (%(before_at)s, %(before_no)s)
   order by at desc, transfer_no desc limit %(limit)s)
  union all
  (select t.*, 'credit' from ledger.transfers t
   where credit_account_no = %(account_no)s and (at, transfer_no) < (%(before_at)s, %(before_no)s)
   order by at desc, transfer_no desc limit %(limit)s)
  order by at desc, transfer_no desc limit %(limit)s
)
select l.transfer_no, l.transfer_id, d.account_id as debit_account_id, c.account_id as credit_account_id, l.amount, l.ledger,
  l.code, l.flags::int, l.pending_id, coalesce(l.timeout_s, 0) as timeout_s, l.user_data, l.at, l.side,
  b.debits_pending, b.debits_posted, b.credits_pending, b.credits_posted
from lines l
join ledger.accounts d on d.account_no = l.debit_account_no join ledger.accounts c on c.account_no = l.credit_account_no
left join ledger.balances b on b.account_no = %(account_no)s and b.at = l.at and b.transfer_no = l.transfer_no
order by l.at desc, l.transfer_no desc

-- name: trial_balance
with later as (
  select account_no, sum(debits_pending) as debits_pending, sum(debits_posted) as debits_posted,
    sum(credits_pending) as credits_pending, sum(credits_posted) as credits_posted
  from ledger.changes where at > %(at)s group by account_no
)
select a.ledger, a.code, count(*) as accounts,
  sum(a.debits_pending - coalesce(l.debits_pending, 0))::numeric as debits_pending,
  sum(a.debits_posted - coalesce(l.debits_posted, 0))::numeric as debits_posted,
  sum(a.credits_pending - coalesce(l.credits_pending, 0))::numeric as credits_pending,
  sum(a.credits_posted - coalesce(l.credits_posted, 0))::numeric as credits_posted
from ledger.accounts a left join later l using (account_no)
where a.created_at <= %(at)s group by a.ledger, a.code order by a.ledger, a.code

-- name: stop_posting
-- Waits for the transactions that post, and holds the next ones up, until this one ends.
select pg_advisory_xact_lock(5718340411)

-- name: closed_until
select max(closed_until) as closed_until, max(day) as day from ledger.closes

-- name: figures
-- The sums of every account at the end of a day, digested in the order of their ids, one line for each.
with later as (
  select account_no, sum(debits_pending) as debits_pending, sum(debits_posted) as debits_posted,
    sum(credits_pending) as credits_pending, sum(credits_posted) as credits_posted
  from ledger.changes where at >= %(until)s group by account_no
), standing as (
  select a.ledger, a.account_id, (a.debits_pending - coalesce(l.debits_pending, 0))::bigint as dp,
    (a.debits_posted - coalesce(l.debits_posted, 0))::bigint as dd,
    (a.credits_pending - coalesce(l.credits_pending, 0))::bigint as cp,
    (a.credits_posted - coalesce(l.credits_posted, 0))::bigint as cc
  from ledger.accounts a left join later l using (account_no) where a.created_at < %(until)s
)
select g.ledger, count(s.account_id) as accounts,
  (select count(*) from ledger.transfers t where t.ledger = g.ledger and t.at >= %(since)s and t.at < %(until)s) as transfers,
  coalesce(sum(dp), 0)::numeric as debits_pending, coalesce(sum(dd), 0)::numeric as debits_posted,
  coalesce(sum(cp), 0)::numeric as credits_pending, coalesce(sum(cc), 0)::numeric as credits_posted,
  encode(sha256(coalesce(string_agg(
    concat_ws('|', replace(s.account_id::text, '-', ''), dp, dd, cp, cc) || E'\n', '' order by s.account_id), '')::bytea), 'hex')
    as accounts_sha256
from ledger.ledgers g left join standing s using (ledger) group by g.ledger order by g.ledger

-- name: insert_close
insert into ledger.closes (day, ledger, closed_until, accounts, transfers, debits_pending, debits_posted, credits_pending,
  credits_posted, accounts_sha256, entry_id)
values (%(day)s, %(ledger)s, %(closed_until)s, %(accounts)s, %(transfers)s, %(debits_pending)s, %(debits_posted)s,
  %(credits_pending)s, %(credits_posted)s, %(accounts_sha256)s, %(entry_id)s)

-- name: closes_of
select day, ledger, closed_until, accounts, transfers, debits_pending, debits_posted, credits_pending, credits_posted,
  accounts_sha256, entry_id from ledger.closes where day = %(day)s order by ledger

-- name: closes
select day, ledger, closed_until, accounts, transfers, debits_pending, debits_posted, credits_pending, credits_posted,
  accounts_sha256, entry_id from ledger.closes where %(before)s::date is null or day < %(before)s
order by day desc, ledger limit %(limit)s

-- name: close_before
select max(closed_until) as closed_until from ledger.closes where day < %(day)s
