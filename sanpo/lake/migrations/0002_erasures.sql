-- Rows that were taken out of the lake for good: who asked, what went, and whether the files are gone. A row is written
-- before the lake's own commit and completed after it, so that a crash in between is seen and repaired.

-- A resident's wish to have their rows erased.
create table lake.erasures (
  erasure_id text primary key check (erasure_id like 'ers\_%'),
  subject_no int not null,
  asked_at timestamptz not null,
  asked_by text not null,
  asked_as text not null check (asked_as in ('self', 'parent', 'carer', 'operator')),
  erased_at timestamptz,
  entry_id text,
  gone_by timestamptz,
  gone_at timestamptz,
  gone_entry_id text,
  check ((erased_at is null) = (entry_id is null) and (erased_at is null) = (gone_by is null)),
  check ((gone_at is null) = (gone_entry_id is null) and (gone_at is null or erased_at is not null))
);
create unique index erasures_open on lake.erasures (subject_no) where erased_at is null;
create index erasures_subject on lake.erasures (subject_no, erasure_id);
create index erasures_under_way on lake.erasures (erasure_id) where gone_at is null;

-- One commit that took rows out of one dataset: for an erasure, or (with a horizon) at the end of the retention.
-- `removed` are the files that the commit took out, `remains` others on the disk that may hold rows of the same person.
create table lake.deletions (
  deletion_id text primary key check (deletion_id like 'del\_%'),
  erasure_id text references lake.erasures,
  dataset text not null,
  horizon timestamptz,
  planned_at timestamptz not null,
  rows bigint not null,
  version_before bigint not null,
  version_after bigint,
  files_rewritten int not null,
  removed text[] not null,
  remains text[] not null,
  landed_at timestamptz,
  entry_id text,
  gone_at timestamptz,
  check ((erasure_id is null) <> (horizon is null)),
  check ((version_after is null) = (landed_at is null))
);
create index deletions_erasure on lake.deletions (erasure_id);
create index deletions_under_way on lake.deletions (deletion_id) where gone_at is null;

alter table lake.erasures enable row level security, force row level security;
create policy own on lake.erasures for select using (subject_no = ground.actor_subject());
create policy ask on lake.erasures for insert with check (
  subject_no = ground.actor_subject() and erased_at is null and gone_at is null);
create policy duty on lake.erasures using (ground.actor_duty() in ('jobs', 'operator'));

alter table lake.deletions enable row level security, force row level security;
create policy own on lake.deletions for select using (exists (
  select from lake.erasures e where e.erasure_id = deletions.erasure_id and e.subject_no = ground.actor_subject()));
create policy duty on lake.deletions using (ground.actor_duty() = 'jobs');
