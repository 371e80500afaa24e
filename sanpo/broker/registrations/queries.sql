-- name: insert_registration
insert into broker.registrations (tenant_no, registration_id, doc, expires_at, created_at, modified_at)
values (%(tenant_no)s, %(registration_id)s, %(doc)s::text::jsonb, %(expires_at)s, %(now)s, %(now)s)
on conflict do nothing
returning registration_no

-- name: update_registration
update broker.registrations set doc = %(doc)s::text::jsonb, expires_at = %(expires_at)s::timestamptz, modified_at = %(now)s,
       ended = coalesce(%(expires_at)s::timestamptz <= %(now)s, false)
where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: delete_registration
delete from broker.registrations where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s
returning doc::text as text, created_at, modified_at, ended

-- name: registration
select registration_id, doc::text as text, created_at, modified_at, ended from broker.registrations
where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: registrations
select registration_id, tenant_no, doc::text as text, created_at, modified_at, expires_at from broker.registrations
where tenant_no = %(tenant_no)s order by registration_no

-- name: raise_revision
-- Also a lock: two that might conflict are checked one after the other.
insert into broker.federation as f (revision) values (1) on conflict (one) do update set revision = f.revision + 1

-- name: revision
select revision from broker.federation

-- name: is_any_over
select exists (select from broker.registrations where not ended and expires_at <= %(now)s) as is_any_over

-- name: end_expired
-- Those whose time is over and which nobody has been told of yet.
update broker.registrations set ended = true where not ended and expires_at <= %(now)s
returning registration_no, tenant_no, doc::text as text, created_at, modified_at
