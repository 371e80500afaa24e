-- A meter belongs to one resident: the one who holds the contract. Readings in the lake know `meter_no` alone.
create table energy.meters (
  meter_no int generated always as identity primary key,
  meter_id text not null unique check (length(meter_id) between 1 and 64),
  subject_no int not null,
  registered_at timestamptz not null
);
create index on energy.meters (subject_no);

-- What a resident told about the home. The lake's dataset energy.homes is a copy of it, made by publish_homes.
create table energy.homes (
  subject_no int primary key,
  area text not null check (length(area) between 1 and 40),
  dwelling_type text not null,
  heating_type text not null,
  occupants int not null check (occupants between 0 and 99),
  changed_at timestamptz not null
);

-- One row for each file. `staged` is written before the lake's commit and `imported` after it: a file that is found
-- staged was cut off in between, and the same file may be imported again safely.
create table energy.imports (
  import_id text primary key check (import_id like 'imp\_%'),
  file_name text not null,
  sha256 text not null unique check (length(sha256) = 64),
  state text not null check (state in ('staged', 'imported')),
  summary jsonb not null,
  staged_at timestamptz not null,
  imported_at timestamptz
);

-- What the cleanroom answered about groups of homes, kept for a day so that a page does not ask again each time.
create table energy.comparisons (
  agreement_id text not null,
  dwelling_type text not null,
  heating_type text not null,
  first_day date not null,
  last_day date not null,
  asked_at timestamptz not null,
  homes int not null,
  profile_wh jsonb not null,
  primary key (agreement_id, dwelling_type, heating_type, first_day, last_day)
);

-- The second wall: a meter and a home are seen by their resident and by the city's duties.
alter table energy.meters enable row level security;
alter table energy.meters force row level security;
create policy own on energy.meters for select using (subject_no = (select ground.actor_subject()));
create policy duty on energy.meters
  using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer', 'simulator'));

alter table energy.homes enable row level security;
alter table energy.homes force row level security;
create policy own on energy.homes using (subject_no = (select ground.actor_subject()));
create policy duty on energy.homes
  using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer', 'simulator'));
