-- name: newest_revision
select max(revision) as revision from lake.open_datasets

-- name: open_datasets
select * from lake.open_datasets order by name

-- name: lock_open_datasets
select pg_advisory_xact_lock(1279347525, 1)

-- name: put_open_dataset
select lake.put_open_dataset(%(name)s, %(descriptor)s, %(sha256)s, %(rows)s, %(skipped)s, %(actor)s, %(now)s)

-- name: lead_deletions
select pg_try_advisory_xact_lock(1279347525, 2) as leads

-- name: ask_erasure
insert into lake.erasures (erasure_id, subject_no, asked_at, asked_by, asked_as)
values (%(erasure_id)s, %(subject_no)s, %(at)s, %(asked_by)s, %(asked_as)s)
on conflict (subject_no) where erased_at is null do nothing

-- name: erasures_of
select * from lake.erasures where subject_no = %(subject_no)s order by erasure_id desc limit %(limit)s

-- name: erasure
select * from lake.erasures where erasure_id = %(erasure_id)s

-- name: erasures_asked
select * from lake.erasures where erased_at is null order by erasure_id

-- name: erasures_not_gone
select * from lake.erasures where erased_at is not null and gone_at is null order by erasure_id

-- name: set_elsewhere
update lake.erasures set elsewhere = %(elsewhere)s::jsonb where erasure_id = %(erasure_id)s

-- name: finish_erasure
update lake.erasures set erased_at = %(at)s, entry_id = %(entry_id)s, gone_by = %(gone_by)s
where erasure_id = %(erasure_id)s and erased_at is null

-- name: finish_removal
update lake.erasures set gone_at = %(at)s, gone_entry_id = %(entry_id)s
where erasure_id = %(erasure_id)s and gone_at is null

-- name: plan_deletion
insert into lake.deletions (deletion_id, erasure_id, dataset, horizon, planned_at, rows, version_before, files_rewritten,
  removed, remains)
values (%(deletion_id)s, %(erasure_id)s, %(dataset)s, %(horizon)s, %(at)s, %(rows)s, %(version_before)s,
  %(files_rewritten)s, %(removed)s, %(remains)s)

-- name: land_deletion
update lake.deletions set version_after = %(version_after)s, landed_at = %(at)s
where deletion_id = %(deletion_id)s and landed_at is null
returning *

-- name: drop_plan
delete from lake.deletions where deletion_id = %(deletion_id)s and landed_at is null

-- name: deletions_planned
select * from lake.deletions where landed_at is null order by deletion_id

-- name: deletions_of
select * from lake.deletions where erasure_id = any(%(erasure_ids)s::text[]) and landed_at is not null order by deletion_id

-- name: deletions_without_entry
select * from lake.deletions where horizon is not null and landed_at is not null and entry_id is null order by deletion_id

-- name: set_deletion_entry
update lake.deletions set entry_id = %(entry_id)s where deletion_id = any(%(deletion_ids)s::text[])

-- name: retained_not_gone
select * from lake.deletions
where horizon is not null and landed_at <= %(before)s and gone_at is null order by deletion_id

-- name: set_deletion_gone
update lake.deletions set gone_at = %(at)s where deletion_id = any(%(deletion_ids)s::text[])

-- name: histories
select name, personal from lake.histories order by name

-- name: register_history
insert into lake.histories (name, personal) values (%(name)s, %(personal)s) on conflict do nothing
