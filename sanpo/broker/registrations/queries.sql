-- name: insert_registration
insert into broker.registrations (tenant_no, registration_id, doc, expires_at, created_at, modified_at)
values (%(tenant_no)s, %(registration_id)s, %(doc)s::text::jsonb, %(expires_at)s, %(now)s, %(now)s)
on conflict do nothing
returning registration_no

-- name: update_registration
update broker.registrations set doc = %(doc)s::text::jsonb, expires_at = %(expires_at)s, modified_at = %(now)s
where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: delete_registration
delete from broker.registrations where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: registration
select registration_id, doc::text as text, created_at, modified_at from broker.registrations
where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: registrations
select registration_id, tenant_no, doc::text as text, created_at, modified_at, expires_at from broker.registrations
where tenant_no = %(tenant_no)s order by registration_no

-- name: raise_revision
-- Also a lock: two that might conflict are checked one after the other.
insert into broker.federation as f (revision) values (1) on conflict (one) do update set revision = f.revision + 1

-- name: revision
select revision from broker.federation
