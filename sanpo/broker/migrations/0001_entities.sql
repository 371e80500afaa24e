-- Tenants (ETSI GS CIM 009 §4.14). `watched` says that somebody follows the outbox: without, nothing is written there.
create table broker.tenants (
  tenant_no int generated always as identity primary key,
  name text not null unique,
  watched boolean not null default false,
  created_at timestamptz not null
);

-- One row for each entity, not compressed up to the size of a page: that costs a write, and a scan, more than the disk. `doc` is the canonical form (broker/model.py); the other columns are read out of it for
-- conditions. `subjects` are the residents whom a personal entity is about, null for a public one.
create table broker.entities (
  entity_no bigint generated always as identity primary key,
  tenant_no int not null references broker.tenants,
  entity_id text not null,
  types text[] not null,
  scopes text[],
  doc jsonb not null,
  min_x float8,
  max_x float8,
  min_y float8,
  max_y float8,
  personal boolean not null default false,
  subjects int[],
  created_at timestamptz not null,
  modified_at timestamptz not null,
  constraint entity_is_one unique (tenant_no, entity_id),
  check (personal = (subjects is not null))
) with (fillfactor = 75, toast_tuple_target = 8160, autovacuum_analyze_threshold = 500, autovacuum_analyze_scale_factor = 0.05);
create index entities_by_type on broker.entities using gin (types);
create index entities_by_subject on broker.entities using gin (subjects) where personal;
create index entities_by_place on broker.entities using gist (box(point(max_x, max_y), point(min_x, min_y)))
  where min_x is not null;

-- What was deleted, so that its history keeps its name (§4.5.6 deletedAt). A new entity of the same id is another row.
create table broker.departed (
  entity_no bigint primary key,
  tenant_no int not null references broker.tenants,
  entity_id text not null,
  types text[] not null,
  scopes text[],
  personal boolean not null,
  subjects int[],
  created_at timestamptz not null,
  deleted_at timestamptz not null
);
create index on broker.departed (tenant_no, entity_id);

-- The outbox of changes, written in the change's own transaction, read in order of change_no and deleted by who follows it.
-- `before` holds the instances that were replaced or removed, by attribute; `after` the entity as it was left.
create table broker.changes (
  change_no bigint generated always as identity primary key,
  tenant_no int not null,
  entity_no bigint not null,
  entity_id text not null,
  kind text not null check (kind in ('created', 'updated', 'deleted')),
  types text[] not null,
  added text[] not null,
  updated text[] not null,
  removed text[] not null,
  before jsonb,
  after jsonb,
  subjects int[],
  at timestamptz not null
);

-- Names of attributes by number: a history of millions of rows need not repeat an IRI.
create table broker.attributes (
  attr_no int generated always as identity primary key,
  iri text not null unique
);

-- History: one row for each attribute instance written or removed. `at` is observedAt, or modified_at where there is none.
-- `instance` is null where number, unit and the times say everything (a Property with a number and no more).
create table broker.observations (
  observation_no bigint generated always as identity,
  entity_no bigint not null,
  attr_no int not null,
  at timestamptz not null,
  modified_at timestamptz not null,
  observed boolean not null,
  number float8,
  unit text,
  dataset_id text,
  instance jsonb,
  removed boolean not null default false,
  subjects int[]
);
create index observations_by_time on broker.observations (entity_no, attr_no, at);

-- Writes of many attributes at once, as one row each: cheap in the transaction of the change. `broker.spread` turns them
-- into observations, at a duty or before the history of an entity is read.
create table broker.writes (
  write_no bigint generated always as identity primary key,
  entity_no bigint not null,
  attrs jsonb not null,
  at timestamptz not null,
  subjects int[]
);
alter table broker.writes set (toast_tuple_target = 8160);
create index writes_by_entity on broker.writes (entity_no);

-- What the history notes of instances: `attrs` maps an IRI to a list of them, `now` is when they were written.
create function broker.observed(attrs jsonb, now timestamptz)
returns table (attr_no int, at timestamptz, observed boolean, number float8, unit text, dataset_id text, instance jsonb)
language sql stable as $$
  select a.attr_no, coalesce((i ->> 'observedAt')::timestamptz, now), i ? 'observedAt', v.number, i ->> 'unitCode',
         i ->> 'datasetId',
         case when v.number is not null
                   and i - '{type,value,createdAt,modifiedAt,observedAt,unitCode,datasetId}'::text[] = '{}'
              then null else i end
  from jsonb_each(attrs) as given (iri, instances)
  join broker.attributes a on a.iri = given.iri
  cross join lateral jsonb_array_elements(given.instances) as i
  cross join lateral (  -- JSON knows whole numbers without end; one that no double holds stays in the instance alone
    select case when jsonb_typeof(i -> 'value') = 'number' and abs((i -> 'value')::numeric) < 1e300
                then (i -> 'value')::float8 end as number) as v
$$;

-- Organisations whose programs may write entities; with `personal` also those of declared personal types.
create table broker.writers (
  organisation_no int primary key,
  personal boolean not null default false,
  allowed_at timestamptz not null
);

-- The second wall. Public rows are for whoever the actions let in; a personal one for its residents, the broker's own
-- duty, and under an admission while every one of its subjects grants.
create function broker.is_granted(subjects int[]) returns boolean language sql stable parallel safe as $$
  select ground.actor_agreement() is not null and cardinality(subjects) > 0 and not exists (
    select from unnest(subjects) as s (subject_no)
    left join consent.granted_chunks c on c.agreement_no = ground.actor_agreement() and c.chunk_no = s.subject_no / 2048
    where c.bits is null or get_bit(c.bits, s.subject_no % 2048) = 0)
$$;

do $$
declare kept text;
begin
  foreach kept in array array['entities', 'departed', 'changes', 'writes', 'observations'] loop
    execute format('alter table broker.%I enable row level security', kept);
    execute format('alter table broker.%I force row level security', kept);
    execute format('create policy open on broker.%I using (subjects is null)', kept);
    execute format('create policy own on broker.%I for select using (subjects @> array[(select ground.actor_subject())])', kept);
    execute format('create policy duty on broker.%I using ((select ground.actor_duty()) in (''broker'', ''jobs'', ''simulator''))', kept);
    -- As is_granted says, but written out: PostgreSQL plans it once for all rows, where it would start a function for each.
    execute format($policy$create policy admitted on broker.%I for select using (
      subjects is not null and cardinality(subjects) > 0 and (select ground.actor_agreement()) is not null
      and not exists (
        select from unnest(subjects) as s (subject_no)
        left join consent.granted_chunks c
          on c.agreement_no = (select ground.actor_agreement()) and c.chunk_no = s.subject_no / 2048
        where c.bits is null or get_bit(c.bits, s.subject_no %% 2048) = 0))$policy$, kept);
  end loop;
end $$;

-- What is public, with the owner's eyes: row-level security would be a barrier before which no index on types or places
-- could be used. The view is its own wall.
create policy owner on broker.entities to sanpo_owner using (true) with check (true);
create view broker.public_entities as select * from broker.entities where subjects is null;

-- Which of these ids are those of personal entities, and their numbers: so that nobody is told a name that is not theirs.
create function broker.personal_numbers(tenant int, ids text[]) returns table (entity_id text, entity_no bigint)
language sql stable security definer set search_path = broker, pg_temp as $$
  select e.entity_id, e.entity_no from entities e where e.tenant_no = tenant and e.entity_id = any(ids) and e.personal
$$;
