-- name: existing
select entity_id from broker.entities where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])

-- name: note_refused
-- Topics of strangers do not fill the table: beyond a number of sources they are counted under one.
insert into broker.refused_messages as r (mapping, source, reason, sample, count, first_at, last_at)
select %(mapping)s, case when exists (select from broker.refused_messages k where k.mapping = %(mapping)s
                                      and k.source = %(source)s and k.reason = %(reason)s)
                           or (select count(*) from broker.refused_messages k where k.mapping = %(mapping)s) < %(most)s
                         then %(source)s else '…' end,
       %(reason)s, %(sample)s, 1, %(now)s, %(now)s
on conflict (mapping, source, reason)
do update set count = r.count + 1, sample = excluded.sample, last_at = excluded.last_at

-- name: refused
select mapping, source, reason, sample, count, first_at, last_at from broker.refused_messages
order by last_at desc limit %(limit)s

-- name: forget_refused
delete from broker.refused_messages where last_at < %(before)s

-- name: begin_import
insert into broker.imports (file_sha256, mapping_sha256, tenant, mapping, file_name, began_at, updated_at)
values (%(file_sha256)s, %(mapping_sha256)s, %(tenant)s, %(mapping)s, %(file_name)s, %(now)s, %(now)s)
on conflict (file_sha256, mapping_sha256, tenant) do update set updated_at = excluded.updated_at
returning import_no, records, observations, skipped, is_done

-- name: hold_import
-- Two imports of one file go one after the other, batch by batch.
select records from broker.imports where import_no = %(import_no)s for update

-- name: note_import
update broker.imports set records = %(records)s, observations = observations + %(observations)s,
       skipped = skipped + %(skipped)s, is_done = %(is_done)s, updated_at = %(now)s
where import_no = %(import_no)s and records = %(before)s returning import_no
