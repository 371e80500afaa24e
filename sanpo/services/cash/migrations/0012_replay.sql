-- Which resident stands for which customer of a file of invoices that was played again.
create table cash.replayed_customers (
  source text not null,
  customer text not null,
  subject_no int not null,
  primary key (source, customer)
);
alter table cash.replayed_customers enable row level security;
alter table cash.replayed_customers force row level security;
create policy duty on cash.replayed_customers using ((select ground.actor_duty()) = 'cash');
