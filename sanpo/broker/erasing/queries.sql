-- name: entities_about
-- All entities that they are in, now or in what was noted of them.
select entity_no from broker.entities where subjects @> array[%(subject_no)s::int]
union select entity_no from broker.departed where subjects @> array[%(subject_no)s::int]
union select entity_no from broker.writes where subjects @> array[%(subject_no)s::int]
union select entity_no from broker.observations where subjects @> array[%(subject_no)s::int]
union select entity_no from broker.flowed where subjects @> array[%(subject_no)s::int]

-- name: delete_entities
-- Those about nobody else. Where a history says something about others, it stays for them, under the name of what is gone.
with gone as (
  delete from broker.entities where entity_no = any(%(nos)s::bigint[]) and subjects = array[%(subject_no)s::int] returning *
), kept as (
  insert into broker.departed (entity_no, tenant_no, entity_id, types, scopes, personal, subjects, created_at, deleted_at)
  select g.entity_no, g.tenant_no, g.entity_id, g.types, g.scopes, true, o.others, g.created_at, %(now)s::timestamptz
  from gone g cross join lateral (
    select array_agg(distinct s order by s) as others from (
      select unnest(subjects) as s from broker.observations where entity_no = g.entity_no
      union select unnest(subjects) from broker.flowed where entity_no = g.entity_no) as about
    where s <> %(subject_no)s) as o
  where o.others is not null
), departed as (
  delete from broker.departed where entity_no = any(%(nos)s::bigint[]) and subjects = array[%(subject_no)s::int] returning 1
)
select (select count(*) from gone) + (select count(*) from departed) as n

-- name: delete_observations
delete from broker.observations
where entity_no = any(%(nos)s::bigint[]) and subjects = array[%(subject_no)s::int]

-- name: shared_entities
select entity_no, doc::text as doc from broker.entities
where entity_no = any(%(nos)s::bigint[]) and subjects @> array[%(subject_no)s::int] for update

-- name: save_shared
update broker.entities set doc = %(doc)s::jsonb, subjects = array_remove(subjects, %(subject_no)s::int)
where entity_no = %(entity_no)s

-- name: leave_departed
update broker.departed set subjects = array_remove(subjects, %(subject_no)s::int)
where entity_no = any(%(nos)s::bigint[]) and subjects @> array[%(subject_no)s::int]

-- name: naming_observations
-- Where it was said whom an entity is about.
select observation_no, entity_no, instance::text as instance from broker.observations
where entity_no = any(%(nos)s::bigint[]) and instance is not null and instance::text like %(naming)s for update

-- name: save_instance
update broker.observations set instance = %(instance)s::jsonb
where entity_no = %(entity_no)s and observation_no = %(observation_no)s

-- name: delete_instance
delete from broker.observations where entity_no = %(entity_no)s and observation_no = %(observation_no)s

-- name: leave_observations
update broker.observations set subjects = array_remove(subjects, %(subject_no)s::int)
where entity_no = any(%(nos)s::bigint[]) and subjects @> array[%(subject_no)s::int]

-- name: leave_flowed
with gone as (
  delete from broker.flowed where entity_no = any(%(nos)s::bigint[]) and subjects @> array[%(subject_no)s::int] returning *
)
insert into broker.flowed (entity_no, dataset, month, subjects)
select distinct entity_no, dataset, month, array_remove(subjects, %(subject_no)s::int) from gone
where subjects <> array[%(subject_no)s::int]
on conflict on constraint flowed_once do nothing

-- name: delete_changes
delete from broker.changes where subjects @> array[%(subject_no)s::int]

-- name: delete_notifications
-- Those that tell of nobody else; of others the items that name them.
with named as (
  select notification_no, (
    select coalesce(jsonb_agg(i), '[]') from jsonb_array_elements(items) as i
    where not coalesce(i -> 'subjects' @> to_jsonb(%(subject_no)s::int), false)) as rest
  from broker.notifications
  where jsonb_path_exists(items, '$[*].subjects[*] ? (@ == $s)', jsonb_build_object('s', %(subject_no)s::int))
), gone as (
  delete from broker.notifications n using named d
  where n.notification_no = d.notification_no and d.rest = '[]' returning 1
), left_over as (
  update broker.notifications n set items = d.rest from named d
  where n.notification_no = d.notification_no and d.rest <> '[]' returning 1
)
select (select count(*) from gone) + (select count(*) from left_over) as n
