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
select registration_id, doc::text as text, created_at, modified_at, expires_at, ended, times_sent, times_failed,
       has_failed, last_success, last_failure, last_error
from broker.registrations left join broker.source_states using (registration_no)
where tenant_no = %(tenant_no)s and registration_id = %(registration_id)s

-- name: registrations
select registration_id, tenant_no, doc::text as text, created_at, modified_at, expires_at, times_sent, times_failed,
       has_failed, last_success, last_failure, last_error
from broker.registrations left join broker.source_states using (registration_no)
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

-- name: note_asked
-- In one order, so that two operations never wait for each other.
insert into broker.source_states as s (registration_no, times_sent, times_failed, has_failed, last_success, last_failure,
                                       last_error)
select r.registration_no, count(*), count(a.error), count(a.error) > 0, max(%(now)s::timestamptz) filter (where a.error is null),
       max(%(now)s::timestamptz) filter (where a.error is not null), max(a.error)
from unnest(%(ids)s::text[], %(errors)s::text[]) a (registration_id, error)
join broker.registrations r on r.tenant_no = %(tenant_no)s and r.registration_id = a.registration_id
group by r.registration_no order by r.registration_no
on conflict (registration_no) do update set
  times_sent = s.times_sent + excluded.times_sent, times_failed = s.times_failed + excluded.times_failed,
  has_failed = excluded.has_failed,
  last_success = coalesce(excluded.last_success, s.last_success),
  last_failure = coalesce(excluded.last_failure, s.last_failure),
  last_error = coalesce(excluded.last_error, s.last_error)
