-- name: insert_accruals
insert into returns.accruals (entry_no, side, agreement_no, metric, unit_ja, unit_en, basis, per, quantity, paid_in, at)
select %(entry_no)s, side, %(agreement_no)s, metric, unit_ja, unit_en, basis, per, quantity, paid_in, %(at)s
from unnest(%(sides)s::text[], %(metrics)s::text[], %(units_ja)s::text[], %(units_en)s::text[], %(bases)s::text[],
            %(pers)s::int[], %(quantities)s::bigint[], %(paid_ins)s::text[])
  as r (side, metric, unit_ja, unit_en, basis, per, quantity, paid_in)

-- name: accruals_of
select * from returns.accruals where entry_no = any(%(entry_nos)s)
order by entry_no, array_position(array['giver', 'city', 'organisation'], side)

-- name: totals
select side, metric, unit_ja, unit_en, basis, count(*) as uses, sum(quantity)::bigint as quantity
from returns.accruals where agreement_no = %(agreement_no)s
group by side, metric, unit_ja, unit_en, basis
order by side

-- name: reported
select side, sum(quantity)::bigint as quantity, count(*) as reports from returns.reports
where agreement_no = %(agreement_no)s group by side

-- name: insert_report
insert into returns.reports (report_id, agreement_no, side, quantity, note, reported_by, at)
values (%(report_id)s, %(agreement_no)s, %(side)s, %(quantity)s, %(note)s, %(reported_by)s, %(at)s)
