-- What a door of ingest could not use, by mapping, topic or place in a file, and reason; the last one as a sample.
create table broker.refused_messages (
  mapping text not null,
  source text not null,
  reason text not null,
  sample text not null,
  count bigint not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (mapping, source, reason)
);

-- How far each file has been taken in: written in the transaction that stores the records, by whoever stores them. Nothing of what
-- a file holds is here.
create table broker.imports (
  import_no bigint generated always as identity primary key,
  file_sha256 text not null,
  mapping_sha256 text not null,
  tenant text not null,
  mapping text not null,
  file_name text not null,
  records bigint not null default 0,
  observations bigint not null default 0,
  skipped bigint not null default 0,
  is_done boolean not null default false,
  began_at timestamptz not null,
  updated_at timestamptz not null,
  constraint import_is_one unique (file_sha256, mapping_sha256, tenant)
);

alter table broker.refused_messages enable row level security;
alter table broker.refused_messages force row level security;
create policy duty on broker.refused_messages using ((select ground.actor_duty()) in ('broker', 'jobs', 'simulator'));
