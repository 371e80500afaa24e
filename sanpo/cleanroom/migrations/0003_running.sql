-- Questions under way that can be ended from another request. Unlogged: after a crash none is under way.
create unlogged table cleanroom.running_questions (
  question_id text primary key check (length(question_id) between 1 and 80),
  organisation_no int,
  begun_at timestamptz not null,
  ended_at timestamptz
);
alter table cleanroom.running_questions enable row level security;
alter table cleanroom.running_questions force row level security;
create policy own on cleanroom.running_questions using (organisation_no = (select ground.actor_organisation()));
create policy duty on cleanroom.running_questions using ((select ground.actor_duty()) = 'operator');
