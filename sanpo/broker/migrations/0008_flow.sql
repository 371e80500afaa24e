-- Old observations flow into the lake (docs/decisions/0017). A move is planned with the numbers of its rows before the lake
-- is touched, and done in the transaction that deletes them here: what is not done, the next turn finishes or does again.
-- A row of a move that is not done counts as not being in the lake. The highest number of those done names the state.
create table broker.flows (
  flow_no bigint generated always as identity primary key,
  observation_nos bigint[] not null,
  planned_at timestamptz not null,
  done_at timestamptz
);
create unique index flows_open on broker.flows ((true)) where done_at is null;

-- In which dataset, months and about whom an entity has rows in the lake: what a reader opens. It may name more than there is.
create table broker.flowed (
  entity_no bigint not null,
  dataset text not null,
  month date not null,
  subjects int[],
  constraint flowed_once unique nulls not distinct (entity_no, dataset, month, subjects)
);
create index flowed_by_month on broker.flowed (month);
create index flowed_by_subject on broker.flowed using gin (subjects) where subjects is not null;

-- Rows of the lake that were deleted or changed since: they count as gone, and are taken out by the duty.
create table broker.struck (
  strike_no bigint generated always as identity primary key,
  dataset text not null,
  entity_no bigint not null,
  flow_no bigint not null,
  observation_no bigint not null
);
create index struck_by_entity on broker.struck (entity_no);

-- Observations come in roughly by their time, so that the cheapest of indexes finds the old ones.
create index observations_by_age on broker.observations using brin (at) with (pages_per_range = 16);

alter table broker.flowed enable row level security, force row level security;
create policy open on broker.flowed using (subjects is null);
create policy own on broker.flowed for select using (subjects @> array[(select ground.actor_subject())]);
create policy duty on broker.flowed using ((select ground.actor_duty()) in ('broker', 'jobs', 'simulator'));
create policy admitted on broker.flowed for select using (broker.is_granted(subjects));
create policy owner on broker.flowed to sanpo_owner using (true) with check (true);
create view broker.public_flowed as select * from broker.flowed where subjects is null;

-- The second wall before rows that come from the lake: what the policies say of those that lie here.
create function broker.is_in_sight(subjects int[]) returns boolean language sql stable as $$
  select subjects is null or subjects @> array[ground.actor_subject()] or broker.is_granted(subjects)
         or ground.actor_duty() in ('broker', 'jobs', 'simulator')
$$;
