-- name: insert_meters
insert into energy.meters (meter_id, subject_no, registered_at)
select u.*, %(now)s from unnest(%(meter_ids)s::text[], %(subject_nos)s::int[]) as u
on conflict (meter_id) do nothing

-- name: meters
-- In the order in which they were named.
select meter_no, meter_id, subject_no
from unnest(%(meter_ids)s::text[]) with ordinality as named (meter_id, place) join energy.meters using (meter_id)
order by place

-- name: meters_of_subject
select meter_no, meter_id, subject_no from energy.meters where subject_no = %(subject_no)s order by meter_no

-- name: upsert_homes
insert into energy.homes as h (subject_no, area, dwelling_type, heating_type, occupants, changed_at)
select u.*, %(now)s
from unnest(%(subject_nos)s::int[], %(areas)s::text[], %(dwelling_types)s::text[], %(heating_types)s::text[],
            %(occupants)s::int[]) as u
on conflict (subject_no) do update
  set area = excluded.area, dwelling_type = excluded.dwelling_type, heating_type = excluded.heating_type,
      occupants = excluded.occupants, changed_at = excluded.changed_at

-- name: homes
select subject_no, area, dwelling_type, heating_type, occupants from energy.homes order by subject_no

-- name: home
select subject_no, area, dwelling_type, heating_type, occupants from energy.homes where subject_no = %(subject_no)s

-- name: lock_imports
select pg_advisory_xact_lock(1162757209, 1)

-- name: import_by_sha256
select * from energy.imports where sha256 = %(sha256)s

-- name: stage_import
insert into energy.imports (import_id, file_name, sha256, state, summary, staged_at)
values (%(import_id)s, %(file_name)s, %(sha256)s, 'staged', %(summary)s, %(now)s)
on conflict (import_id) do update set summary = excluded.summary, staged_at = excluded.staged_at

-- name: finish_import
update energy.imports set state = 'imported', imported_at = %(now)s where import_id = %(import_id)s

-- name: imports
select * from energy.imports order by staged_at desc, import_id desc limit %(limit)s

-- name: comparison
select homes, profile_wh from energy.comparisons
where agreement_id = %(agreement_id)s and dwelling_type = %(dwelling_type)s and heating_type = %(heating_type)s
  and first_day = %(first_day)s and last_day = %(last_day)s and asked_at > %(not_before)s

-- name: keep_comparison
insert into energy.comparisons
values (%(agreement_id)s, %(dwelling_type)s, %(heating_type)s, %(first_day)s, %(last_day)s, %(now)s, %(homes)s,
        %(profile_wh)s)
on conflict (agreement_id, dwelling_type, heating_type, first_day, last_day) do update
  set asked_at = excluded.asked_at, homes = excluded.homes, profile_wh = excluded.profile_wh

-- name: lock_homes
select pg_advisory_xact_lock(1162757209, 2)
