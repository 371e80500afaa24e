-- name: chronicles
-- Each id once, as the entity that bears it or bore it last. What bears witness is an instance of any that bore it.
select e.entity_no, e.entity_id, e.types, e.scopes, e.subjects, e.created_at, e.modified_at, e.deleted_at
from /* chronicles */ e
where e.tenant_no = %(tenant_no)s and e.entity_no > %(after)s and (/* condition */) and (/* witness */)
order by e.entity_no limit %(limit)s offset %(offset)s

-- name: count
select count(*) as n from /* chronicles */ e where e.tenant_no = %(tenant_no)s and (/* condition */) and (/* witness */)

-- name: chronicle_source
(select entity_no, tenant_no, entity_id, types, scopes, personal, subjects, created_at, modified_at,
        null::timestamptz as deleted_at
 from /* entities */
 union all
 select d.entity_no, d.tenant_no, d.entity_id, d.types, d.scopes, d.personal, d.subjects, d.created_at,
        coalesce(d.deleted_at, d.created_at), d.deleted_at
 from broker.departed d
 where not exists (select from broker.entities n where n.tenant_no = d.tenant_no and n.entity_id = d.entity_id)
   and not exists (select from broker.departed n
                   where n.tenant_no = d.tenant_no and n.entity_id = d.entity_id and n.entity_no > d.entity_no))

-- name: witness
exists (select from /* rows */ o where o.entity_no = e.entity_no and /* span */)
or exists (select from broker.departed d join /* rows */ o on o.entity_no = d.entity_no
           where d.tenant_no = e.tenant_no and d.entity_id = e.entity_id and /* span */)

-- name: maybe
-- Or the lake may hold an instance: whether it does, and whether it is in the span, is seen when it is read.
(/* witness */) or exists (
  select from /* flowed */ x where (x.entity_no = e.entity_no or x.entity_no in (
    select d.entity_no from broker.departed d where d.tenant_no = e.tenant_no and d.entity_id = e.entity_id)))

-- name: both
-- Rows that are here, and those that were read from the lake, under the same wall.
(select o.observation_no, o.entity_no, o.attr_no, o.at, o.modified_at, o.created_at, o.observed, o.number, o.unit,
        o.dataset_id, o.instance, o.removed, o.subjects
 from /* here */ o
 union all
 select f.observation_no, f.entity_no, f.attr_no, timestamptz 'epoch' + f.at * interval '1 microsecond',
        timestamptz 'epoch' + f.modified_at * interval '1 microsecond',
        timestamptz 'epoch' + f.created_at * interval '1 microsecond', f.observed, f.number, f.unit, f.dataset_id,
        f.instance::jsonb, f.removed, f.subjects::int[]
 from json_to_recordset(%(flowed)s::json) as f (
   observation_no bigint, entity_no bigint, attr_no int, at bigint, modified_at bigint, created_at bigint, observed boolean,
   number float8, unit text, dataset_id text, instance text, removed boolean, subjects text)
 where broker.is_in_sight(f.subjects::int[]))

-- name: by_id
e.entity_id = %(entity_id)s

-- name: by_no
e.entity_no = %(entity_no)s

-- name: numbers
select entity_no, entity_id from broker.entities where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])
union all
select entity_no, entity_id from broker.departed where tenant_no = %(tenant_no)s and entity_id = any(%(ids)s::text[])

-- name: rows
select g.grp, o.observation_no, o.attr_no, o.dataset_id, o.at, o.modified_at, o.created_at, o.observed, o.number, o.unit,
       o.instance::text as instance, o.removed, o.subjects, /* moment */ as moment
from unnest(%(nos)s::bigint[], %(groups)s::int[]) as g (no, grp) join /* rows */ o on o.entity_no = g.no
where /* span */
order by moment, o.observation_no limit %(limit)s

-- name: last_rows
-- For each entity and attribute so many from the end of the index; `place` is for ids that several entities bore.
select * from (
  select g.grp, o.*, row_number() over (partition by g.grp, o.attr_no order by o.moment desc, o.observation_no desc) as place
  from unnest(%(nos)s::bigint[], %(groups)s::int[]) as g (no, grp) cross join unnest(%(attr_nos)s::int[]) as a (attr_no)
  cross join lateral (
    select o.observation_no, o.attr_no, o.dataset_id, o.at, o.modified_at, o.created_at, o.observed, o.number, o.unit,
           o.instance::text as instance, o.removed, o.subjects, /* moment */ as moment
    from /* rows */ o where o.entity_no = g.no and o.attr_no = a.attr_no and /* span */
    order by /* moment */ desc, o.observation_no desc limit %(last_n)s) as o) as ranked
where place <= %(last_n)s
order by moment desc, observation_no desc limit %(limit)s

-- name: bounds
select min(/* moment */) as first, max(/* moment */) as last
from unnest(%(nos)s::bigint[]) as g (no) join /* rows */ o on o.entity_no = g.no
where /* span */

-- name: owners
select distinct o.subjects
from unnest(%(nos)s::bigint[]) as g (no) join /* rows */ o on o.entity_no = g.no
where /* span */

-- name: attributes_in
-- From each attribute to the next in the index, whatever number of instances lies between.
with recursive there (no, attr_no) as (
  select no, (select min(o.attr_no) from /* rows */ o where o.entity_no = no) from unnest(%(nos)s::bigint[]) as no
  union all
  select t.no, (select min(o.attr_no) from /* rows */ o where o.entity_no = t.no and o.attr_no > t.attr_no)
  from there t where t.attr_no is not null
)
select distinct attr_no from there where attr_no is not null

-- name: attribute_names
select iri, attr_no from broker.attributes where attr_no = any(%(nos)s::int[])

-- name: aggregate
-- A truth value counts as 1 or 0 and an array by its length; texts are only counted and compared (§4.5.19.1).
select g.grp, o.attr_no, o.dataset_id, width_bucket(/* moment */, %(edges)s::timestamptz[]) as period,
       max(o.instance ->> 'type') as kind /* methods */
from unnest(%(nos)s::bigint[], %(groups)s::int[]) as g (no, grp) join /* rows */ o on o.entity_no = g.no
cross join lateral (
  select case when o.number is null then coalesce(
    o.instance -> 'value', o.instance -> 'object', o.instance -> 'languageMap', o.instance -> 'vocab', o.instance -> 'json',
    o.instance -> 'valueList', o.instance -> 'objectList') end as other) as v
cross join lateral (
  select case when o.number is not null then o.number
              when jsonb_typeof(v.other) = 'boolean' then (v.other = 'true')::int
              when jsonb_typeof(v.other) = 'array' and not o.instance ? 'object' then jsonb_array_length(v.other)
         end as n) as x
where /* span */ and not o.removed
group by 1, 2, 3, 4 order by 1, 2, 3 nulls first, 4

-- name: total_count
, count(*) as total_count

-- name: distinct_count
, count(distinct o.number) + count(distinct v.other) as distinct_count

-- name: sum
, sum(x.n) as sum

-- name: avg
, avg(x.n) as avg

-- name: min
, min(x.n) as min, min(case when jsonb_typeof(v.other) = 'string' and o.instance ? 'value' then v.other #>> '{}' end collate "C") as text_min

-- name: max
, max(x.n) as max, max(case when jsonb_typeof(v.other) = 'string' and o.instance ? 'value' then v.other #>> '{}' end collate "C") as text_max

-- name: stddev
, stddev_pop(x.n) as stddev

-- name: sumsq
, sum(x.n * x.n) as sumsq

-- name: make_chronicle
insert into broker.departed (entity_no, tenant_no, entity_id, types, scopes, personal, subjects, created_at, deleted_at)
values (nextval(pg_get_serial_sequence('broker.entities', 'entity_no')), %(tenant_no)s, %(entity_id)s, %(types)s::text[],
        %(scopes)s::text[], %(subjects)s::int[] is not null, %(subjects)s::int[], %(now)s::timestamptz, null)
returning entity_no

-- name: widen_types
update broker.departed set types = %(types)s::text[] where entity_no = %(entity_no)s

-- name: hold
-- One writer of a history at a time: its id has no row to lock before it is there.
select pg_advisory_xact_lock(hashtextextended(%(entity_id)s, %(tenant_no)s))

-- name: record
insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, dataset_id, instance, subjects)
select %(entity_no)s, o.attr_no, o.at, %(now)s::timestamptz, o.observed, o.number, o.unit, o.dataset_id, o.instance,
       %(subjects)s::int[]
from broker.observed(%(attrs)s::jsonb, %(now)s::timestamptz) o

-- name: delete_attribute
delete from broker.observations o
where o.entity_no = any(%(nos)s::bigint[]) and o.attr_no = %(attr_no)s
  and (%(every)s or o.dataset_id is not distinct from %(dataset_id)s::text)

-- name: instance
select o.observation_no, o.entity_no, o.dataset_id, o.at, o.modified_at, o.created_at, o.observed, o.number, o.unit,
       o.instance::text as instance, o.removed, o.subjects
from broker.observations o
where o.entity_no = any(%(nos)s::bigint[]) and o.attr_no = %(attr_no)s and o.observation_no = %(observation_no)s for update

-- name: bring_back
-- An instance of the lake, as it was changed, under its old number.
insert into broker.observations (observation_no, entity_no, attr_no, at, modified_at, created_at, observed, number, unit,
                                 dataset_id, instance, subjects)
overriding system value
select %(observation_no)s, %(entity_no)s, o.attr_no, o.at, %(now)s::timestamptz, %(created_at)s::timestamptz, o.observed,
       o.number, o.unit, o.dataset_id, o.instance, %(subjects)s::int[]
from broker.observed(%(attrs)s::jsonb, %(now)s::timestamptz) o

-- name: change_instance
update broker.observations h
set at = o.at, observed = o.observed, number = o.number, unit = o.unit, instance = o.instance, removed = false,
    created_at = coalesce(h.created_at, h.modified_at), modified_at = %(now)s::timestamptz
from broker.observed(%(attrs)s::jsonb, %(now)s::timestamptz) o
where h.observation_no = %(observation_no)s and h.entity_no = %(entity_no)s

-- name: delete_instance
delete from broker.observations o
where o.entity_no = any(%(nos)s::bigint[]) and o.attr_no = %(attr_no)s and o.observation_no = %(observation_no)s

-- name: delete_history
with gone as (
  delete from broker.observations where entity_no = any(%(nos)s::bigint[]) returning 1
), forgotten as (
  delete from broker.departed where entity_no = any(%(nos)s::bigint[]) returning 1
)
select (select count(*) from gone) + (select count(*) from forgotten) as n

-- name: ingest
insert into broker.observations (entity_no, attr_no, at, modified_at, observed, number, unit, subjects)
select i.entity_no, i.attr_no, i.at, %(now)s::timestamptz, true, i.number, i.unit, e.subjects
from unnest(%(nos)s::bigint[], %(attr_nos)s::int[], %(times)s::timestamptz[], %(numbers)s::float8[], %(units)s::text[])
     as i (entity_no, attr_no, at, number, unit)
join broker.entities e on e.entity_no = i.entity_no
