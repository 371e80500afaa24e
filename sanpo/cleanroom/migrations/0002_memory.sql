-- What was told to whom: for the guard against differencing between answers. Who was in a cell is personal, so the
-- second wall holds here too: an organisation's own transactions, and the city's duties.
create table cleanroom.remembered_sets (
  set_sha256 bytea primary key check (octet_length(set_sha256) = 32),
  subject_count int not null,
  bits bytea not null
);
alter table cleanroom.remembered_sets alter column bits set storage external;

create table cleanroom.remembered_answers (
  entry_no bigint primary key,
  entry_id text not null,
  organisation_no int not null,
  dataset text not null,
  columns text[] not null,
  question text not null,
  question_sha256 text not null,
  split_sha256 text not null,
  told_sha256 bytea not null,
  snapshots text not null,
  admitted bytea not null references cleanroom.remembered_sets,
  answered_at timestamptz not null
);
create index on cleanroom.remembered_answers (organisation_no, dataset);
create index on cleanroom.remembered_answers (organisation_no, split_sha256, entry_no desc);
create index on cleanroom.remembered_answers (organisation_no, question_sha256, told_sha256);
create index on cleanroom.remembered_answers (answered_at);

create table cleanroom.remembered_cells (
  entry_no bigint not null references cleanroom.remembered_answers on delete cascade,
  key_sha256 bytea not null,
  set_sha256 bytea not null references cleanroom.remembered_sets,
  rows bigint not null,
  primary key (entry_no, key_sha256)
);
create index on cleanroom.remembered_cells (set_sha256);

alter table cleanroom.remembered_answers enable row level security;
alter table cleanroom.remembered_answers force row level security;
create policy owner on cleanroom.remembered_answers to sanpo_owner using (true) with check (true);
create policy recipient on cleanroom.remembered_answers using (organisation_no = (select ground.actor_organisation()));
create policy duty on cleanroom.remembered_answers using ((select ground.actor_duty()) in ('jobs', 'operator'));

alter table cleanroom.remembered_cells enable row level security;
alter table cleanroom.remembered_cells force row level security;
create policy owner on cleanroom.remembered_cells to sanpo_owner using (true) with check (true);
create policy recipient on cleanroom.remembered_cells using (exists (
  select 1 from cleanroom.remembered_answers a where a.entry_no = remembered_cells.entry_no));
create policy duty on cleanroom.remembered_cells using ((select ground.actor_duty()) = 'jobs');

-- A set is written by whoever releases an answer and read only through an answer of one's own.
alter table cleanroom.remembered_sets enable row level security;
alter table cleanroom.remembered_sets force row level security;
create policy owner on cleanroom.remembered_sets to sanpo_owner using (true) with check (true);
create policy remember on cleanroom.remembered_sets for insert with check (true);
create policy recipient on cleanroom.remembered_sets for select using (
  exists (select 1 from cleanroom.remembered_cells c where c.set_sha256 = remembered_sets.set_sha256)
  or exists (select 1 from cleanroom.remembered_answers a where a.admitted = remembered_sets.set_sha256));
create policy duty on cleanroom.remembered_sets using ((select ground.actor_duty()) = 'jobs');
