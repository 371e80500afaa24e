-- name: insert_shop
insert into cash.shops (shop_id, organisation_no, merchant, name, local_name, category, district, registration, longitude,
                        latitude, registered_at)
values (%(shop_id)s, %(organisation_no)s, %(merchant)s, %(name)s, %(local_name)s, %(category)s, %(district)s,
  %(registration)s, %(longitude)s::float8, %(latitude)s::float8, %(at)s)
on conflict do nothing
returning *

-- name: shop
select * from cash.shops where shop_id = %(shop_id)s

-- name: shop_by_merchant
select * from cash.shops where merchant = %(merchant)s

-- name: shops
select * from cash.shops where (%(organisation_no)s::int is null or organisation_no = %(organisation_no)s) order by shop_no

-- name: set_shop_state
update cash.shops set state = %(state)s, reason = %(reason)s where shop_id = %(shop_id)s returning *

-- name: insert_charge
insert into cash.charges (charge_id, subject_no, amount_yen, charged_at)
values (%(charge_id)s, %(subject_no)s, %(amount_yen)s, %(at)s)
on conflict do nothing

-- name: payment
select p.*, s.shop_id, s.local_name as shop_name from cash.payments p join cash.shops s using (shop_no)
where p.payment_id = %(payment_id)s

-- name: lock_payment
select * from cash.payments where payment_id = %(payment_id)s for update

-- name: insert_payment
with paid as (
  insert into cash.payments (payment_id, subject_no, shop_no, organisation_no, amount_yen, way, paid_at)
  values (%(payment_id)s, %(subject_no)s, %(shop_no)s, %(organisation_no)s, %(amount_yen)s, %(way)s, %(at)s)
  returning payment_no
)
insert into cash.lines (payment_no, line_no, subject_no, organisation_no, item, category, quantity, unit_price_yen, tax_permille)
select paid.payment_no, l.line_no, %(subject_no)s, %(organisation_no)s, l.line ->> 'item', l.line ->> 'category',
       (l.line ->> 'quantity')::int, (l.line ->> 'unit_price_yen')::bigint, (l.line ->> 'tax_permille')::smallint
from paid, jsonb_array_elements(%(lines)s::text::jsonb) with ordinality as l (line, line_no)

-- name: payments_of
select p.*, s.shop_id, s.local_name as shop_name from cash.payments p join cash.shops s using (shop_no)
where p.subject_no = %(subject_no)s and p.paid_at < %(before)s order by p.paid_at desc, p.payment_no desc limit %(limit)s

-- name: sales_of
select p.*, s.shop_id, s.local_name as shop_name from cash.payments p join cash.shops s using (shop_no)
where s.shop_id = %(shop_id)s and p.paid_at >= %(since)s and p.paid_at < %(until)s
order by p.paid_at desc, p.payment_no desc limit %(limit)s

-- name: spent
-- Under the lock of the wallet, so that two phones cannot both stay below a limit.
select coalesce(sum(yen) filter (where at >= %(day)s), 0)::bigint as day_yen, coalesce(sum(yen), 0)::bigint as month_yen,
       exists (select from cash.suspensions where subject_no = %(subject_no)s and lifted_at is null) as is_suspended
from (
  select paid_at as at, amount_yen - refunded_yen as yen from cash.payments
  where subject_no = %(subject_no)s and paid_at >= %(month)s
  union all
  select answered_at, amount_yen from cash.shares
  where payer_no = %(subject_no)s and state = 'paid' and answered_at >= %(month)s
) as given

-- name: is_suspended
select exists (select from cash.suspensions where subject_no = %(subject_no)s and lifted_at is null) as is_suspended

-- name: insert_refusal
insert into cash.refusals (subject_no, outcome, amount_yen, refused_at)
values (%(subject_no)s, %(outcome)s, %(amount_yen)s, %(at)s)

-- name: lock_wallet
select pg_advisory_xact_lock(1129270869, %(subject_no)s)

-- name: insert_refund
with refund as (
  insert into cash.refunds (refund_id, payment_no, subject_no, organisation_no, amount_yen, refunded_at)
  values (%(refund_id)s, %(payment_no)s, %(subject_no)s, %(organisation_no)s, %(amount_yen)s, %(at)s)
)
update cash.payments set refunded_yen = refunded_yen + %(amount_yen)s where payment_no = %(payment_no)s

-- name: refund
select * from cash.refunds where refund_id = %(refund_id)s

-- name: insert_bill
insert into cash.bills (bill_id, shop_no, organisation_no, amount_yen, lines, expires_at)
values (%(bill_id)s, %(shop_no)s, %(organisation_no)s, %(amount_yen)s, %(lines)s::text::jsonb, %(expires_at)s)

-- name: lock_bill
select bill_id, shop_no, amount_yen, lines::text as lines, expires_at, payment_id
from cash.bills where bill_id = %(bill_id)s for update

-- name: close_bill
update cash.bills set payment_id = %(payment_id)s where bill_id = %(bill_id)s

-- name: insert_code
with gone as (delete from cash.codes where subject_no = %(subject_no)s and payment_id is null)
insert into cash.codes (code_sha256, subject_no, expires_at) values (%(code_sha256)s, %(subject_no)s, %(expires_at)s)

-- name: lock_code
select * from cash.codes where code_sha256 = %(code_sha256)s for update

-- name: use_code
update cash.codes set payment_id = %(payment_id)s where code_sha256 = %(code_sha256)s

-- name: charge
select * from cash.charges where charge_id = %(charge_id)s

-- name: lock_flow
-- One move at a time, and none while an erasure looks at what has not moved yet.
select pg_advisory_xact_lock(1129270870)

-- name: begin_flow
with flow as (
  insert into cash.flows (flow_id, begun_at)
  select %(flow_id)s, %(at)s
  where not exists (select from cash.flows where landed_at is null)
    and (exists (select from cash.payments where flow_id is null) or exists (select from cash.refunds where flow_id is null))
  returning flow_id
), paid as (
  update cash.payments p set flow_id = flow.flow_id from flow
  where p.payment_no in (select payment_no from cash.payments where flow_id is null order by payment_no limit %(most)s)
)
update cash.refunds r set flow_id = flow.flow_id from flow
where r.refund_id in (select refund_id from cash.refunds where flow_id is null order by refund_id limit %(most)s)

-- name: open_flow
select flow_id from cash.flows where landed_at is null

-- name: flow_rows
select p.subject_no, p.paid_at as bought_at, p.shop_no, coalesce(l.category, 'unknown') as category,
       coalesce(l.quantity, 0) as quantity, coalesce(l.quantity * l.unit_price_yen, p.amount_yen) as amount_yen,
       coalesce(l.tax_permille, 0)::int as tax_permille, s.district
from cash.payments p join cash.shops s using (shop_no) left join cash.lines l using (payment_no)
where p.flow_id = %(flow_id)s
union all
select r.subject_no, r.refunded_at, p.shop_no, 'refund', 0, -r.amount_yen, 0, s.district
from cash.refunds r join cash.payments p using (payment_no) join cash.shops s using (shop_no)
where r.flow_id = %(flow_id)s

-- name: end_flow
update cash.flows set landed_at = %(at)s where flow_id = %(flow_id)s

-- name: keep_payments_from_lake
update cash.payments set flow_id = 'erased' where subject_no = %(subject_no)s
  and (flow_id is null or flow_id in (select flow_id from cash.flows where landed_at is null))

-- name: erase_notes
update cash.requests set note = '' where subject_no = %(subject_no)s and note <> ''

-- name: keep_refunds_from_lake
update cash.refunds set flow_id = 'erased' where subject_no = %(subject_no)s
  and (flow_id is null or flow_id in (select flow_id from cash.flows where landed_at is null))
