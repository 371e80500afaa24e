-- name: customers
select customer, subject_no from cash.replayed_customers where source = %(source)s

-- name: insert_customers
insert into cash.replayed_customers (source, customer, subject_no)
select %(source)s, g.customer, g.subject_no from unnest(%(customers)s::text[], %(subject_nos)s::int[]) g (customer, subject_no)

-- name: alone
-- One replay of a file at a time.
select pg_try_advisory_xact_lock(1129270872, hashtext(%(source)s)) as is_alone
