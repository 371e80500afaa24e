-- name: suspend
insert into cash.suspensions (suspension_id, subject_no, reason, suspended_at)
values (%(suspension_id)s, %(subject_no)s, %(reason)s, %(at)s) on conflict do nothing

-- name: lift
update cash.suspensions set lifted_at = %(at)s where subject_no = %(subject_no)s and lifted_at is null

-- name: suspended
select suspension_id, subject_no, reason, suspended_at from cash.suspensions where lifted_at is null order by suspended_at

-- name: insert_notice
insert into cash.notices (subject_no, kind, reason, at) values (%(subject_no)s, %(kind)s, %(reason)s, %(at)s)

-- name: notices_of
select kind, reason, at from cash.notices where subject_no = %(subject_no)s order by notice_no desc limit %(limit)s

-- name: refusals
-- How often something was refused at each limit, for how many residents; not whose.
select outcome, count(*)::int as times, count(distinct subject_no)::int as residents, max(amount_yen)::bigint as most_yen
from cash.refusals where refused_at >= %(since)s and refused_at < %(until)s group by outcome order by outcome

-- name: near_limits
-- Residents whose spending of a day, or of a month, came within a tenth of the limit.
with days as (
  select subject_no, (paid_at at time zone %(zone)s)::date as day, sum(amount_yen - refunded_yen) as yen
  from cash.payments where paid_at >= %(since)s and paid_at < %(until)s group by 1, 2
), months as (
  select subject_no, date_trunc('month', day) as month, sum(yen) as yen from days group by 1, 2
)
select (select count(distinct subject_no) from days where yen * 10 >= %(day_limit)s * 9)::int as by_day,
  (select count(distinct subject_no) from months where yen * 10 >= %(month_limit)s * 9)::int as by_month

-- name: events
-- What may make up what a rule looks for: residents with enough of it in the time looked at.
with found as (
  select subject_no, charged_at as at, amount_yen as yen from cash.charges where %(of)s = 'charges' and charged_at >= %(since)s
  union all
  select subject_no, paid_at, amount_yen from cash.payments where %(of)s = 'payments' and paid_at >= %(since)s
), fitting as (
  select *, count(*) over (partition by subject_no) as times from found
  where yen >= %(least_yen)s and yen <= %(most_yen)s
)
select subject_no, at, yen from fitting where times >= %(times)s order by subject_no, at

-- name: insert_alert
insert into cash.alerts (alert_id, subject_no, rule, day, first_at, last_at, times, sum_yen, found_at)
values (%(alert_id)s, %(subject_no)s, %(rule)s, %(day)s, %(first_at)s, %(last_at)s, %(times)s, %(sum_yen)s, %(at)s)
on conflict (subject_no, rule, day) do update set last_at = excluded.last_at, times = excluded.times, sum_yen = excluded.sum_yen
where cash.alerts.times < excluded.times
returning alert_id

-- name: alerts
select alert_id, rule, day, first_at, last_at, times, sum_yen from cash.alerts
where day >= %(since)s and day <= %(until)s order by found_at desc, alert_id desc limit 1000

-- name: alert
select * from cash.alerts where alert_id = %(alert_id)s

-- name: unused_balance
select base_day, wallets, opening_yen, issued_yen, recovered_yen, unused_yen, deposit_yen, due_day, entry_id, made_at
from cash.unused_balances where base_day = %(base_day)s

-- name: unused_balances
select base_day, wallets, opening_yen, issued_yen, recovered_yen, unused_yen, deposit_yen, due_day, entry_id, made_at
from cash.unused_balances order by base_day desc

-- name: lock_unused
select pg_advisory_xact_lock(1129270873)

-- name: issued
select coalesce(sum(amount_yen), 0)::bigint as yen from cash.charges where charged_at >= %(since)s and charged_at < %(until)s

-- name: insert_unused_balance
insert into cash.unused_balances (base_day, wallets, opening_yen, issued_yen, recovered_yen, unused_yen, deposit_yen, due_day,
  entry_id, made_at)
values (%(base_day)s, %(wallets)s, %(opening_yen)s, %(issued_yen)s, %(recovered_yen)s, %(unused_yen)s, %(deposit_yen)s,
  %(due_day)s, %(entry_id)s, %(made_at)s)

-- name: resting
-- Residents whose last charge, payment and refund lie before `since`, and who were not told of it after that.
with moved as (
  select subject_no, charged_at as at from cash.charges union all
  select subject_no, paid_at from cash.payments union all
  select subject_no, refunded_at from cash.refunds
)
select subject_no, max(at) as last_at,
  exists (select from cash.notices n where n.subject_no = moved.subject_no and n.kind = 'dormant' and n.at >= max(moved.at)) as is_told
from moved group by subject_no having max(at) < %(since)s order by subject_no
