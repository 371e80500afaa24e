-- name: kept
select residents, rows::text as rows from cash.indicators
where agreement_id = %(agreement_id)s and question = %(question)s and asked_at > %(not_before)s

-- name: keep
insert into cash.indicators (agreement_id, question, asked_at, residents, rows)
values (%(agreement_id)s, %(question)s, %(now)s, %(residents)s, %(rows)s::text::jsonb)
on conflict (agreement_id, question) do update
  set asked_at = excluded.asked_at, residents = excluded.residents, rows = excluded.rows

-- name: flows
select (select coalesce(sum(amount_yen), 0) from cash.charges
        where charged_at >= %(since)s and charged_at < %(until)s)::bigint as charged_yen,
       (select coalesce(sum(amount_yen), 0) from cash.payments where paid_at >= %(since)s and paid_at < %(until)s)::bigint as spent_yen,
       (select count(*) from cash.payments where paid_at >= %(since)s and paid_at < %(until)s) as payments,
       (select coalesce(sum(amount_yen), 0) from cash.refunds
        where refunded_at >= %(since)s and refunded_at < %(until)s)::bigint as refunded_yen,
       (select coalesce(sum(payout_yen), 0) from cash.settlements
        where day >= %(first_day)s and day < %(end_day)s)::bigint as paid_out_yen

-- name: sales_of_street
-- By owner: who has several shops knows the sales of all of them.
select s.organisation_no, coalesce(sum(p.amount_yen - p.refunded_yen), 0)::bigint as yen
from cash.shops s left join cash.payments p on p.shop_no = s.shop_no and p.paid_at >= %(since)s and p.paid_at < %(until)s
where s.district = %(district)s group by s.organisation_no

-- name: sales_of_shop
select g.week::date as week, coalesce(sum(p.amount_yen - p.refunded_yen), 0)::bigint as yen
from unnest(%(weeks)s::date[], %(starts)s::timestamptz[], %(ends)s::timestamptz[]) as g (week, since, until)
left join cash.payments p on p.shop_no = %(shop_no)s and p.paid_at >= g.since and p.paid_at < g.until
group by g.week order by g.week
