-- name: tenant
select tenant_no from broker.tenants where name = %(name)s

-- name: make_tenant
insert into broker.tenants (name, created_at) values (%(name)s, %(at)s) on conflict do nothing

-- name: make_attributes
insert into broker.attributes (iri) select unnest(%(iris)s::text[]) on conflict do nothing

-- name: is_writer
select 1 from broker.writers where organisation_no = %(organisation_no)s

-- name: allow_writer
insert into broker.writers (organisation_no, allowed_at) values (%(organisation_no)s, %(at)s) on conflict do nothing

-- name: entity
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = %(entity_id)s

-- name: entities_by_id
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])

-- name: lock
select doc::text as doc, entity_no, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = %(entity_id)s for update

-- name: lock_all
-- In one order, so that two batches never wait for each other.
select doc::text as doc, entity_no, entity_id, subjects from broker.entities
where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[]) order by entity_id for update

-- name: create
with made as (
  insert into broker.entities (tenant_no, entity_id, types, scopes, doc, min_x, max_x, min_y, max_y, personal, subjects,
                               created_at, modified_at)
  values (%(tenant_no)s, %(entity_id)s, %(types)s::text[], %(scopes)s::text[], %(doc)s::jsonb, %(min_x)s::float8,
          %(max_x)s::float8, %(min_y)s::float8, %(max_y)s::float8, %(subjects)s::int[] is not null, %(subjects)s::int[],
          %(now)s::timestamptz, %(now)s::timestamptz)
  on conflict do nothing
  returning entity_no, doc
), change as (
  insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, after, subjects, at)
  select %(tenant_no)s, entity_no, %(entity_id)s, 'created', %(types)s::text[],
         array(select jsonb_object_keys(doc -> 'attrs')), '{}', '{}', doc, %(subjects)s::int[], %(now)s::timestamptz
  from made where (select watched from broker.tenants where tenant_no = %(tenant_no)s)
), seen as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance,
                                   subjects)
  select made.entity_no, o.attr_no, o.at, %(now)s::timestamptz, o.observed, o.number, o.unit, o.dataset_id, o.instance,
         %(subjects)s::int[]
  from made, broker.observed(made.doc -> 'attrs', %(now)s::timestamptz) o
)
select entity_no from made

-- name: save
with saved as (
  update broker.entities set types = %(types)s::text[], scopes = %(scopes)s::text[], doc = %(doc)s::jsonb,
         min_x = %(min_x)s::float8, max_x = %(max_x)s::float8, min_y = %(min_y)s::float8, max_y = %(max_y)s::float8,
         subjects = %(subjects)s::int[], personal = %(subjects)s::int[] is not null, modified_at = %(now)s::timestamptz
  where entity_no = %(entity_no)s
  returning entity_no, tenant_no, entity_id, doc
), change as (
  insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, before, after,
                              subjects, at)
  select tenant_no, entity_no, entity_id, 'updated', %(types)s::text[], %(added)s::text[], %(updated)s::text[],
         %(removed)s::text[], %(before)s::jsonb, doc, %(subjects)s::int[], %(now)s::timestamptz
  from saved where (select watched from broker.tenants t where t.tenant_no = saved.tenant_no)
), seen as (
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance,
                                   subjects)
  select saved.entity_no, o.attr_no, o.at, %(now)s::timestamptz, o.observed, o.number, o.unit, o.dataset_id, o.instance,
         %(subjects)s::int[]
  from saved, broker.observed(%(written)s::jsonb, %(now)s::timestamptz) o
)
select entity_no from saved

-- name: note_gone
insert into broker.observations (entity_no, attr_no, at, modified_at, observed, dataset_id, removed, subjects)
select %(entity_no)s, o.attr_no, %(now)s::timestamptz, %(now)s::timestamptz, false, o.dataset_id, true, %(subjects)s::int[]
from broker.observed(%(gone)s::jsonb, %(now)s::timestamptz) o

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
  insert into broker.observations (entity_no, attr_no, at, modified_at, observed, dataset_id, removed, subjects)
  select gone.entity_no, o.attr_no, %(now)s::timestamptz, %(now)s::timestamptz, false, o.dataset_id, true, gone.subjects
  from gone, broker.observed(gone.doc -> 'attrs', %(now)s::timestamptz) o
)
select entity_id from gone

-- name: find
select e.doc::text as doc, e.entity_no, e.subjects from broker.entities e
where e.tenant_no = %(tenant_no)s and e.entity_no > %(after)s and (/* condition */)
/* order */ limit %(limit)s offset %(offset)s

-- name: count
select count(*) as n from broker.entities e where e.tenant_no = %(tenant_no)s and (/* condition */)

-- name: types
select t as type, count(*) as n from broker.entities e, unnest(e.types) as t
where e.tenant_no = %(tenant_no)s group by t order by t

-- name: types_with_attributes
select t as type, a as attribute from broker.entities e, unnest(e.types) as t, jsonb_object_keys(e.doc -> 'attrs') as a
where e.tenant_no = %(tenant_no)s group by t, a order by t, a

-- name: attributes_of_type
select a.iri as attribute, array_agg(distinct i ->> 'type') as kinds, count(distinct e.entity_no) as n
from broker.entities e, jsonb_each(e.doc -> 'attrs') as a (iri, instances), jsonb_array_elements(a.instances) as i
where e.tenant_no = %(tenant_no)s and e.types @> array[%(type)s::text] group by a.iri order by a.iri

-- name: count_of_type
select count(*) as n from broker.entities e where e.tenant_no = %(tenant_no)s and e.types @> array[%(type)s::text]

-- name: attribute_details
select array_agg(distinct t) as types, array_agg(distinct i ->> 'type') as kinds, count(*) as n
from broker.entities e, unnest(e.types) as t, jsonb_array_elements(e.doc -> 'attrs' -> %(attribute)s::text) as i
where e.tenant_no = %(tenant_no)s and e.doc -> 'attrs' ? %(attribute)s::text
