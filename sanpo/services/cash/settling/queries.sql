-- name: lock_shop
-- One settlement of a shop at a time: who comes second finds the first.
select pg_advisory_xact_lock(1129270871, %(shop_no)s)

-- name: settled_day
select day from cash.settled_days where day = %(day)s

-- name: insert_settled_day
insert into cash.settled_days (day, ended_at) values (%(day)s, %(at)s) on conflict do nothing

-- name: settled_so_far
-- All that the shop was ever settled, and what of it in the year of the day and in the year before.
select coalesce(bool_or(day >= %(day)s), false) as is_settled,
  coalesce(sum(taken_yen), 0)::bigint as taken,
  coalesce(sum(refunded_yen), 0)::bigint as refunded,
  coalesce(sum(payout_yen + greatest(fee_yen, 0)), 0)::bigint as debited,
  coalesce(sum(greatest(-fee_yen, 0)), 0)::bigint as credited,
  coalesce(sum(taken_yen - refunded_yen) filter (where day >= %(year)s), 0)::bigint as year,
  coalesce(sum(fee_yen) filter (where day >= %(year)s), 0)::bigint as year_fee,
  coalesce(sum(taken_yen - refunded_yen) filter (where day >= %(last_year)s and day < %(year)s), 0)::bigint as last_year
from cash.settlements where shop_no = %(shop_no)s

-- name: insert_settlement
insert into cash.settlements (settlement_id, shop_no, organisation_no, day, brought_yen, taken_yen, refunded_yen, fee_yen,
  payout_yen, carried_yen, settled_at)
values (%(settlement_id)s, %(shop_no)s, %(organisation_no)s, %(day)s, %(brought)s, %(taken)s, %(refunded)s, %(fee)s,
  %(payout)s, %(carried)s, %(at)s)

-- name: settlement
select t.*, s.shop_id from cash.settlements t join cash.shops s using (shop_no) where t.settlement_id = %(settlement_id)s

-- name: settlements_of
select t.*, s.shop_id from cash.settlements t join cash.shops s using (shop_no)
where s.shop_id = %(shop_id)s and t.day >= %(since)s and t.day <= %(until)s order by t.day desc limit %(limit)s
