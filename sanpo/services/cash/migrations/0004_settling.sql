-- What shops were paid: one row for each shop and day on which it took or gave back anything.
create table cash.settlements (
  settlement_id text primary key check (settlement_id like 'stl\_%'),
  shop_no int not null references cash.shops,
  organisation_no int not null,
  day date not null,
  brought_yen bigint not null check (brought_yen <= 0),
  taken_yen bigint not null check (taken_yen >= 0),
  refunded_yen bigint not null check (refunded_yen >= 0),
  fee_yen bigint not null,
  payout_yen bigint not null check (payout_yen >= 0),
  carried_yen bigint not null check (carried_yen <= 0),
  settled_at timestamptz not null,
  unique (shop_no, day),
  constraint adds_up check (brought_yen + taken_yen - refunded_yen - fee_yen - payout_yen = carried_yen)
);

-- Days for which every shop was settled: the run of a day that is missing here was cut off, and is ended by the next.
create table cash.settled_days (
  day date primary key,
  ended_at timestamptz not null
);

alter table cash.settlements enable row level security, force row level security;
create policy duty on cash.settlements using ((select ground.actor_duty()) = 'cash');
create policy sales on cash.settlements for select using (organisation_no = (select ground.actor_organisation()));
alter table cash.settled_days enable row level security, force row level security;
create policy duty on cash.settled_days using ((select ground.actor_duty()) = 'cash');
revoke update, delete on cash.settlements, cash.settled_days from sanpo_app;
