-- Small uses that wait, for less than a second, to be put together with others like them into one entry.
create table journal.gathered (
  gathered_no bigint generated always as identity primary key,
  kind text not null,
  agreement_no int,
  organisation_no int,
  appended_at timestamptz not null,
  body bytea not null,
  counts jsonb not null,
  subject_nos int[] not null check (cardinality(subject_nos) > 0),
  universe int not null
);
alter table journal.gathered enable row level security, force row level security;
create policy owner on journal.gathered to current_user using (true);
create policy append on journal.gathered for insert to public with check (true);
create policy duty on journal.gathered to public using (ground.actor_duty() = 'journal');
