-- What answers cost: one row for each released answer under an agreement with a budget. A charge is never changed.
create table cleanroom.charges (
  entry_no bigint primary key,
  organisation_no int not null,
  agreement_no int not null,
  charged_at timestamptz not null,
  questions int not null check (questions >= 0),
  epsilon_milli int not null check (epsilon_milli >= 0)
);
create index on cleanroom.charges (agreement_no, charged_at);
revoke update, delete on cleanroom.charges from sanpo_app;

-- Charged under an admission to the agreement only; seen by its organisation and by the city's duties.
alter table cleanroom.charges enable row level security;
alter table cleanroom.charges force row level security;
create policy owner on cleanroom.charges to sanpo_owner using (true) with check (true);
create policy admitted on cleanroom.charges using (agreement_no = (select ground.actor_agreement()));
create policy recipient on cleanroom.charges for select
  using (organisation_no = (select ground.actor_organisation()));
create policy duty on cleanroom.charges for select
  using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer'));
