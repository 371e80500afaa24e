-- name: tenant
select tenant_no from broker.tenants where name = %(name)s

-- name: collations
select collname::text from pg_collation where collprovider = 'i'

-- name: tenants
select t.name, (select count(*) from broker.entities e where e.tenant_no = t.tenant_no) as n
from broker.tenants t order by t.name

-- name: make_tenant
insert into broker.tenants (name, created_at) values (%(name)s, %(at)s) on conflict do nothing

-- name: attributes
select iri, attr_no from broker.attributes where iri = any(%(iris)s::text[])

-- name: make_attributes
insert into broker.attributes (iri) select unnest(%(iris)s::text[]) on conflict do nothing

-- name: is_writer
select personal from broker.writers where organisation_no = %(organisation_no)s

-- name: allow_writer
insert into broker.writers (organisation_no, personal, allowed_at) values (%(organisation_no)s, %(personal)s, %(at)s)
on conflict (organisation_no) do update set personal = excluded.personal

-- name: entities_by_no
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_no = any(%(entity_nos)s::bigint[])

-- name: entity
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = %(entity_id)s

-- name: public_entity
select doc::text as doc from broker.public_entities where tenant_no = %(tenant_no)s and entity_id = %(entity_id)s

-- name: entities_by_id
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])

-- name: personal_ids
-- Also of entities that are gone, or of which only the history was told.
select entity_id from broker.entities
where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[]) and subjects is not null
union
select entity_id from broker.departed where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[]) and personal

-- name: personal_numbers
select entity_id, entity_no from broker.personal_numbers(
  (select tenant_no from broker.entities where entity_no = %(entity_no)s), %(ids)s::text[])

-- name: lock
select doc::text as doc, entity_no, subjects, (select watched from broker.tenants t where t.tenant_no = %(tenant_no)s)
from broker.entities where tenant_no = %(tenant_no)s and entity_id = %(entity_id)s for update

-- name: lock_all
-- In one order, so that two batches never wait for each other.
select doc::text as doc, entity_no, entity_id, subjects,
       (select watched from broker.tenants t where t.tenant_no = %(tenant_no)s) as watched
from broker.entities where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[]) order by entity_id for update

-- name: delete
with gone as (
  delete from broker.entities where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])
  returning *
), kept as (
  insert into broker.departed (entity_no, tenant_no, entity_id, types, scopes, personal, subjects, created_at, deleted_at)
  select entity_no, tenant_no, entity_id, types, scopes, personal, subjects, created_at, %(now)s::timestamptz from gone
), change as (
  insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, before, subjects, at)
  select tenant_no, entity_no, entity_id, 'deleted', types, '{}', '{}', array(select jsonb_object_keys(doc -> 'attrs')),
         doc, subjects, %(now)s::timestamptz
  from gone where (select watched from broker.tenants where tenant_no = %(tenant_no)s)
), seen as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, dataset_id, instance, removed, subjects)
  select gone.entity_no, o.attr_no, %(now)s::timestamptz, %(now)s::timestamptz, false, o.dataset_id,
       case when o.instance is not null then jsonb_build_object('type', o.instance -> 'type') end, true, gone.subjects
  from gone, broker.observed(gone.doc -> 'attrs', %(now)s::timestamptz) o
)
select entity_id from gone

-- name: find
select e.doc::text as doc, e.entity_no, e.subjects from broker.entities e
where e.tenant_no = %(tenant_no)s and e.entity_no > %(after)s and (/* condition */)
order by /* order */ e.entity_no limit %(limit)s offset %(offset)s

-- name: count
select count(*) as n from broker.entities e where e.tenant_no = %(tenant_no)s and (/* condition */)

-- name: find_public
select e.doc::text as doc, e.entity_no, e.subjects from broker.public_entities e
where e.tenant_no = %(tenant_no)s and e.entity_no > %(after)s and (/* condition */)
order by /* order */ e.entity_no limit %(limit)s offset %(offset)s

-- name: count_public
select count(*) as n from broker.public_entities e where e.tenant_no = %(tenant_no)s and (/* condition */)

-- name: make_profile
insert into broker.profiles (digest, types, attributes) values (%(digest)s, %(types)s::text[], %(attributes)s::text[])
on conflict do nothing

-- name: profiles
select digest, profile_no from broker.profiles where digest = any(%(digests)s::text[])

-- name: public_profiles
-- From each profile to the next in the index, whatever number of entities lies between.
with recursive there (no) as (
  select min(profile_no) from broker.public_entities where tenant_no = %(tenant_no)s
  union all
  select (select min(e.profile_no) from broker.public_entities e where e.tenant_no = %(tenant_no)s and e.profile_no > t.no)
  from there t where t.no is not null
)
select p.types, p.attributes, case when %(counted)s then (
  select count(*) from broker.public_entities e where e.tenant_no = %(tenant_no)s and e.profile_no = p.profile_no) end as n
from there t join broker.profiles p on p.profile_no = t.no

-- name: own_profiles
select p.types, p.attributes, count(*) as n from broker.entities e join broker.profiles p using (profile_no)
where e.tenant_no = %(tenant_no)s and e.subjects @> array[%(subject_no)s::int] group by p.profile_no

-- name: shapes
select t as type, a.iri as attribute, i ->> 'type' as kind, i ->> 'valueType' as named, i -> 'v2' ->> 'type' as written,
       i -> 'value' ->> '@type' as typed,
       jsonb_typeof(case when i -> 'value' ->> '@type' = '@json' then i -> 'value' -> '@value' else i -> 'value' end) as json
from /* entities */ e, unnest(e.types) as t, jsonb_each(e.doc -> 'attrs') as a (iri, instances),
     jsonb_array_elements(a.instances) as i
where e.tenant_no = %(tenant_no)s and (%(type)s::text is null or e.types @> array[%(type)s::text]) and not i ? 'datasetId'
group by 1, 2, 3, 4, 5, 6, 7 order by 1, 2

-- name: is_watched
select watched from broker.tenants where tenant_no = %(tenant_no)s

-- name: create_many
-- `rows`: [{doc, box: [min_x, max_x, min_y, max_y], profile, subjects}], without subjects for a public one.
with given as (
  select e -> 'doc' as doc, e -> 'box' as box, (e ->> 'profile')::int as profile,
         case when e ? 'subjects' then array(select s::int from jsonb_array_elements_text(e -> 'subjects') s) end as subjects
  from jsonb_array_elements(%(rows)s::jsonb) as e
), made as (
  insert into broker.entities (tenant_no, entity_id, types, scopes, doc, min_x, max_x, min_y, max_y, subjects, personal,
                               created_at, modified_at, profile_no)
  select %(tenant_no)s, doc ->> 'id', array(select jsonb_array_elements_text(doc -> 'type')),
         case when doc ? 'scope' then array(select jsonb_array_elements_text(doc -> 'scope')) end, doc,
         (box -> 0)::float8, (box -> 1)::float8, (box -> 2)::float8, (box -> 3)::float8, subjects,
         subjects is not null, (doc ->> 'createdAt')::timestamptz, (doc ->> 'modifiedAt')::timestamptz, profile
  from given
  on conflict do nothing
  returning entity_no, entity_id, types, doc, subjects, modified_at
), change as (
  insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, after, subjects, at)
  select %(tenant_no)s, entity_no, entity_id, 'created', types, array(select jsonb_object_keys(doc -> 'attrs')), '{}', '{}',
         doc, subjects, modified_at
  from made where (select watched from broker.tenants where tenant_no = %(tenant_no)s)
), wrote as (
  insert into broker.writes (entity_no, attrs, at, subjects)
  select entity_no, broker.told(doc), modified_at, subjects from made
)
select entity_id from made

-- name: put_many
-- As `create_many`, and where an id is taken by a public entity, everything but createdAt is replaced. For a tenant that
-- nobody watches: no change is noted.
with given as (
  select e -> 'doc' as doc, e -> 'box' as box, (e ->> 'profile')::int as profile from jsonb_array_elements(%(rows)s::jsonb) as e
), made as (
  insert into broker.entities as e (tenant_no, entity_id, types, scopes, doc, min_x, max_x, min_y, max_y, created_at,
                                    modified_at, profile_no)
  select %(tenant_no)s, doc ->> 'id', array(select jsonb_array_elements_text(doc -> 'type')),
         case when doc ? 'scope' then array(select jsonb_array_elements_text(doc -> 'scope')) end, doc,
         (box -> 0)::float8, (box -> 1)::float8, (box -> 2)::float8, (box -> 3)::float8, %(now)s::timestamptz,
         %(now)s::timestamptz, profile
  from given
  on conflict on constraint entity_is_one do update
    set types = excluded.types, scopes = excluded.scopes, min_x = excluded.min_x, max_x = excluded.max_x,
        min_y = excluded.min_y, max_y = excluded.max_y, modified_at = excluded.modified_at,
        profile_no = excluded.profile_no, doc = excluded.doc || jsonb_build_object('createdAt', e.doc -> 'createdAt')
  returning entity_no, entity_id, doc, xmax = 0 as is_new
), wrote as (
  insert into broker.writes (entity_no, attrs, at) select entity_no, broker.told(doc), %(now)s::timestamptz from made
)
select entity_id, is_new from made

-- name: save_many
-- `rows`: [{no, now, doc, box, profile, subjects, added, updated, removed, before, written, gone}] of entities that this transaction has locked.
with given as (
  select (e ->> 'no')::bigint as no, (e ->> 'now')::timestamptz as now, e -> 'doc' as doc, e -> 'box' as box, e as row
  from jsonb_array_elements(%(rows)s::jsonb) as e
), saved as (
  update broker.entities e set doc = g.doc, types = array(select jsonb_array_elements_text(g.doc -> 'type')),
         scopes = case when g.doc ? 'scope' then array(select jsonb_array_elements_text(g.doc -> 'scope')) end,
         min_x = (box -> 0)::float8, max_x = (box -> 1)::float8, min_y = (box -> 2)::float8, max_y = (box -> 3)::float8,
         subjects = case when g.row ? 'subjects'
                         then array(select s::int from jsonb_array_elements_text(g.row -> 'subjects') s) end,
         personal = g.row ? 'subjects', modified_at = g.now, profile_no = (g.row ->> 'profile')::int
  from given g where e.entity_no = g.no
  returning e.entity_no, e.tenant_no, e.entity_id, e.types, e.doc, e.subjects, g.row, g.now
), change as (
  insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, before, after,
                              subjects, at)
  select tenant_no, entity_no, entity_id, 'updated', types, array(select jsonb_array_elements_text(row -> 'added')),
         array(select jsonb_array_elements_text(row -> 'updated')), array(select jsonb_array_elements_text(row -> 'removed')),
         row -> 'before', doc, subjects, now
  from saved where (select watched from broker.tenants t where t.tenant_no = saved.tenant_no)
), wrote as (
  insert into broker.writes (entity_no, attrs, at, subjects)
  select entity_no, row -> 'written', now, subjects from saved where row -> 'written' <> '{}'
), gone as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, dataset_id, instance, removed, subjects)
  select entity_no, o.attr_no, now, now, false, o.dataset_id,
       case when o.instance is not null then jsonb_build_object('type', o.instance -> 'type') end, true, subjects
  from saved, broker.observed(row -> 'gone', now) o
)
select count(*) as n from saved

-- name: touch_many
-- The common change, in the cheapest way: one instance of one attribute, no type or place of the entity, nobody watches.
-- `rows`: [{no, doc, now, attr, at, observed, number, unit, dataset, instance, subjects}] of entities that this transaction has locked.
with given as (
  select * from jsonb_to_recordset(%(rows)s::jsonb) as g(no bigint, doc jsonb, now timestamptz, attr int, at timestamptz,
    observed boolean, number float8, unit text, dataset text, instance jsonb, subjects int[])
), saved as (
  update broker.entities e set doc = g.doc, modified_at = g.now from given g where e.entity_no = g.no
)
insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance, subjects)
select no, attr, at, now, observed, number, unit, dataset, instance, subjects from given

-- name: spread
-- The oldest writes as observations, but for those that somebody else is spreading.
with due as (
  select write_no from broker.writes order by write_no limit %(limit)s for update skip locked
), taken as (
  delete from broker.writes w using due where w.write_no = due.write_no returning w.entity_no, w.attrs, w.at, w.subjects
), seen as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance,
                                   subjects)
  select taken.entity_no, o.attr_no, o.at, taken.at, o.observed, o.number, o.unit, o.dataset_id, o.instance, taken.subjects
  from taken, broker.observed(taken.attrs, taken.at) o
)
select count(*) as n from taken

-- name: spread_entities
-- As `spread`, for those whose history is about to be read: it waits for whoever is spreading them.
with taken as (
  delete from broker.writes where entity_no = any(%(entity_nos)s::bigint[]) returning entity_no, attrs, at, subjects
), seen as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance,
                                   subjects)
  select taken.entity_no, o.attr_no, o.at, taken.at, o.observed, o.number, o.unit, o.dataset_id, o.instance, taken.subjects
  from taken, broker.observed(taken.attrs, taken.at) o
)
select count(*) as n from taken

-- name: ring
-- Wakes who follows the outbox, where there is something in it.
select pg_notify('broker_changes', '') from (select from broker.changes order by change_no limit 1) c

-- name: make_map
-- Together with it go those whose time is over, and the oldest of an owner who has too many.
with over as (
  delete from broker.entity_maps where expires_at <= %(now)s
), pushed as (
  delete from broker.entity_maps where map_id in (
    select map_id from broker.entity_maps where owner = %(owner)s order by created_at desc offset %(most)s - 1)
)
insert into broker.entity_maps (map_id, tenant_no, owner, entity_nos, created_at, expires_at)
values (%(map_id)s, %(tenant_no)s, %(owner)s, %(entity_nos)s::bigint[], %(now)s, %(expires_at)s)

-- name: map
select entity_nos, expires_at from broker.entity_maps
where map_id = %(map_id)s and tenant_no = %(tenant_no)s and owner = %(owner)s and expires_at > %(now)s

-- name: keep_in_map
update broker.entity_maps set entity_nos = %(entity_nos)s::bigint[]
where map_id = %(map_id)s and tenant_no = %(tenant_no)s and owner = %(owner)s

-- name: end_map
update broker.entity_maps set expires_at = %(expires_at)s
where map_id = %(map_id)s and tenant_no = %(tenant_no)s and owner = %(owner)s and expires_at > %(now)s

-- name: delete_map
delete from broker.entity_maps
where map_id = %(map_id)s and tenant_no = %(tenant_no)s and owner = %(owner)s and expires_at > %(now)s

-- name: named
-- Who bears these numbers, or bore them last.
select entity_no, entity_id, types, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_no = any(%(entity_nos)s::bigint[])
union all
select entity_no, entity_id, types, subjects from broker.departed
where tenant_no = %(tenant_no)s and entity_no = any(%(entity_nos)s::bigint[])
order by entity_no
