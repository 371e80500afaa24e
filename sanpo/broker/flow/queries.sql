-- name: lock_flow
select pg_advisory_xact_lock(1279347526, 1)

-- name: share_flow
select pg_advisory_xact_lock_shared(1279347526, 1)

-- name: state
select (select max(flow_no) from broker.flows where done_at is not null) as flow_no,
       (select max(strike_no) from broker.struck) as strike_no

-- name: bounds
-- The moves of this city.
select min(flow_no) as first, max(flow_no) filter (where done_at is not null) as last,
       min(flow_no) filter (where done_at is null) as open from broker.flows

-- name: open_flow
select flow_no, observation_nos from broker.flows where done_at is null

-- name: plan_flow
-- Whom a personal entity is about stays here: an erasure has to change it.
insert into broker.flows (observation_nos, planned_at)
select array_agg(observation_no), %(now)s::timestamptz from (
  select observation_no from broker.observations
  where at < %(horizon)s::timestamptz and (subjects is null or attr_no <> all(%(kept)s::int[]))
  limit %(limit)s) as due
having count(*) > 0 returning flow_no

-- name: planned_rows
-- Of what is known of no entity, nobody can ask the history: it has no tenant.
select o.observation_no, o.entity_no, o.attr_no, o.at, o.modified_at, o.created_at, o.observed, o.number, o.unit, o.dataset_id,
       o.instance::text as instance, o.removed, o.subjects, e.tenant_no, e.entity_id, e.types
from broker.observations o left join (
  select entity_no, tenant_no, entity_id, types from broker.entities
  union all select entity_no, tenant_no, entity_id, types from broker.departed) as e on e.entity_no = o.entity_no
where o.observation_no between %(low)s and %(high)s and o.observation_no = any(%(nos)s::bigint[])
for update of o

-- name: take
delete from broker.observations o
where o.observation_no between %(low)s and %(high)s and o.observation_no = any(%(nos)s::bigint[])

-- name: note_flowed
insert into broker.flowed (entity_no, dataset, month, subjects)
select distinct entity_no, dataset, date_trunc('month', at at time zone 'UTC')::date, subjects::int[]
from json_to_recordset(%(rows)s::json) as f (entity_no bigint, dataset text, at timestamptz, subjects text)
on conflict on constraint flowed_once do nothing

-- name: finish_flow
update broker.flows set done_at = %(now)s::timestamptz, observation_nos = '{}' where flow_no = %(flow_no)s

-- name: mark_change
-- Tells readers that the lake is another, where no rows were moved.
insert into broker.flows (observation_nos, planned_at, done_at) values ('{}', %(now)s::timestamptz, %(now)s::timestamptz)

-- name: reaches
select exists (select from broker.flowed where (%(since)s::date is null or month >= %(since)s::date)
                                           and (%(until)s::date is null or month <= %(until)s::date)) as reaches

-- name: flowed_of
select dataset, min(month) as since, max(month) as until,
       (select array_agg(distinct s) from broker.flowed w, unnest(w.subjects) as s
        where w.entity_no = any(%(nos)s::bigint[]) and w.dataset = f.dataset) as subjects
from broker.flowed f where entity_no = any(%(nos)s::bigint[]) group by dataset order by dataset

-- name: struck_of
select flow_no, observation_no from broker.struck where entity_no = any(%(nos)s::bigint[])

-- name: strike
insert into broker.struck (dataset, entity_no, flow_no, observation_no)
select dataset, entity_no, flow_no, observation_no from json_to_recordset(%(rows)s::json)
  as f (dataset text, entity_no bigint, flow_no bigint, observation_no bigint)

-- name: forget_flowed
delete from broker.flowed where entity_no = any(%(nos)s::bigint[])

-- name: struck
select strike_no, dataset, flow_no, observation_no from broker.struck order by strike_no limit %(limit)s

-- name: unstrike
delete from broker.struck where strike_no = any(%(nos)s::bigint[])
