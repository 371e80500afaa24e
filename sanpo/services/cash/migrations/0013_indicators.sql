-- Protected answers, kept for a day: asked again they would be another use of everybody's purchases.
create table cash.indicators (
  agreement_id text not null,
  question text not null,
  asked_at timestamptz not null,
  residents int not null,
  rows jsonb not null,
  primary key (agreement_id, question)
);
alter table cash.indicators enable row level security, force row level security;
create policy duty on cash.indicators using ((select ground.actor_duty()) = 'cash');
