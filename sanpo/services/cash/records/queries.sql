-- name: payment
select p.*, s.shop_id, s.local_name as shop_name, s.registration from cash.payments p join cash.shops s using (shop_no)
where p.payment_id = %(payment_id)s

-- name: lines
select l.item, l.category, l.quantity, l.unit_price_yen, l.tax_permille
from cash.lines l join cash.payments p using (payment_no) where p.payment_id = %(payment_id)s order by l.line_no

-- name: spent_of_lots
-- Of points and vouchers: seen by their resident, not by the shop.
select coalesce(sum(amount_yen), 0)::bigint as yen from cash.lot_uses where payment_id = %(payment_id)s

-- name: refunds
select r.amount_yen, r.refunded_at from cash.refunds r join cash.payments p using (payment_no)
where p.payment_id = %(payment_id)s order by r.refunded_at

-- name: spending
select coalesce(l.category, 'unknown') as category, sum(coalesce(l.quantity * l.unit_price_yen, p.amount_yen))::bigint as yen
from cash.payments p left join cash.lines l using (payment_no)
where p.subject_no = %(subject_no)s and p.paid_at >= %(since)s and p.paid_at < %(until)s
group by 1 order by 2 desc, 1

-- name: refunded
select coalesce(sum(refunded_yen), 0)::bigint as yen
from cash.payments where subject_no = %(subject_no)s and paid_at >= %(since)s and paid_at < %(until)s

-- name: sales_of_day
select p.*, s.shop_id, s.local_name as shop_name from cash.payments p join cash.shops s using (shop_no)
where p.shop_no = %(shop_no)s and p.paid_at >= %(since)s and p.paid_at < %(until)s
order by p.paid_at desc, p.payment_no desc

-- name: refunds_of_day
select p.payment_id, r.amount_yen, r.refunded_at from cash.refunds r join cash.payments p using (payment_no)
where p.shop_no = %(shop_no)s and r.refunded_at >= %(since)s and r.refunded_at < %(until)s
order by r.refunded_at desc

-- name: bill
select bill_id, shop_no, amount_yen, lines::text as lines, expires_at, payment_id from cash.bills where bill_id = %(bill_id)s
