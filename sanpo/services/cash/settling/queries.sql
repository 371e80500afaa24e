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

-- name: references_of
-- Each with the kind under which the ledger's number was made from it: a settlement has one for each of its transfers.
select 'payment' as kind, p.payment_id as reference from cash.payments p join cash.shops s using (shop_no)
where s.shop_id = %(shop_id)s and p.paid_at >= %(since)s and p.paid_at < %(until)s
union all
select 'refund', r.refund_id from cash.refunds r join cash.payments p using (payment_no) join cash.shops s using (shop_no)
where s.shop_id = %(shop_id)s and r.refunded_at >= %(since)s and r.refunded_at < %(until)s
union all
select 'settlement/' || code, t.settlement_id from cash.settlements t join cash.shops s using (shop_no), unnest(array[21, 22, 23]) code
where s.shop_id = %(shop_id)s and t.settled_at >= %(since)s and t.settled_at < %(until)s

-- name: month_is_settled
select exists (select from cash.settled_days where day >= %(last)s) as is_settled

-- name: lock_invoices
select pg_advisory_xact_lock(1129270872)

-- name: insert_invoice
insert into cash.invoices (invoice_id, shop_no, organisation_no, month, issuer, registration, fee_yen, tax_permille, tax_yen,
  issued_at)
values (%(invoice_id)s, %(shop_no)s, %(organisation_no)s, %(month)s, %(issuer)s, %(registration)s, %(fee_yen)s,
  %(tax_permille)s, %(tax_yen)s, %(at)s)

-- name: uninvoiced
-- Shops with fees in the month that have no invoice for it.
select t.shop_no, t.organisation_no, sum(t.fee_yen)::bigint as fee_yen from cash.settlements t
where t.day >= %(month)s and t.day <= %(last)s
  and not exists (select from cash.invoices i where i.shop_no = t.shop_no and i.month = %(month)s)
group by t.shop_no, t.organisation_no having sum(t.fee_yen) <> 0 order by t.shop_no

-- name: invoices_of_month
select i.*, s.shop_id, s.local_name as shop_name from cash.invoices i join cash.shops s using (shop_no)
where i.month = %(month)s order by i.shop_no

-- name: invoices_of
select i.*, s.shop_id, s.local_name as shop_name from cash.invoices i join cash.shops s using (shop_no)
where s.shop_id = %(shop_id)s order by i.month desc

-- name: invoice
select i.*, s.shop_id, s.local_name as shop_name from cash.invoices i join cash.shops s using (shop_no)
where i.invoice_id = %(invoice_id)s

-- name: invoiced_days
select day, taken_yen - refunded_yen as turnover_yen, fee_yen from cash.settlements
where shop_no = %(shop_no)s and day >= %(month)s and day <= %(last)s and fee_yen <> 0 order by day

-- name: set_payee
insert into cash.payees (shop_no, organisation_no, bank_code, branch_code, account_no, holder)
values (%(shop_no)s, %(organisation_no)s, %(bank_code)s, %(branch_code)s, %(account_no)s, %(holder)s)
on conflict (shop_no) do update set bank_code = excluded.bank_code, branch_code = excluded.branch_code,
  account_no = excluded.account_no, holder = excluded.holder

-- name: lock_orders
select pg_advisory_xact_lock(1129270874)

-- name: make_order
-- One statement: what is settled meanwhile waits for the next order.
with chosen as (
  select t.settlement_id, t.payout_yen, p.bank_code, p.branch_code, p.account_no, p.holder
  from cash.settlements t join cash.payees p using (shop_no)
  where t.payout_yen > 0 and not exists (select from cash.ordered_payouts o where o.settlement_id = t.settlement_id)
), made as (
  insert into cash.payment_orders (order_id, made_at, payouts, total_yen)
  select %(order_id)s, %(at)s, count(*), sum(payout_yen) from chosen having count(*) > 0
  returning order_id, made_at, payouts, total_yen
), lines as (
  insert into cash.ordered_payouts (settlement_id, order_id, payout_yen, bank_code, branch_code, account_no, holder)
  select settlement_id, %(order_id)s, payout_yen, bank_code, branch_code, account_no, holder from chosen
)
select order_id, made_at, payouts, total_yen from made

-- name: without_payee
select count(*)::int as payouts from cash.settlements t
where t.payout_yen > 0 and not exists (select from cash.ordered_payouts o where o.settlement_id = t.settlement_id)
  and not exists (select from cash.payees p where p.shop_no = t.shop_no)

-- name: orders
select order_id, made_at, payouts, total_yen from cash.payment_orders order by made_at desc, order_id desc

-- name: order
select order_id, made_at from cash.payment_orders where order_id = %(order_id)s

-- name: ordered
select settlement_id, payout_yen, bank_code, branch_code, account_no, holder from cash.ordered_payouts
where order_id = %(order_id)s order by settlement_id
