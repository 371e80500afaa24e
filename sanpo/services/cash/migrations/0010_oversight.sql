-- Wallets that are stopped: nothing is paid from them and nothing charged to them until the row is lifted.
create table cash.suspensions (
  suspension_id text primary key check (suspension_id like 'sus\_%'),
  subject_no int not null,
  reason text not null check (reason <> ''),
  suspended_at timestamptz not null,
  lifted_at timestamptz
);
create unique index on cash.suspensions (subject_no) where lifted_at is null;

-- What was refused at a limit.
create table cash.refusals (
  refusal_no bigint generated always as identity primary key,
  subject_no int not null,
  outcome text not null,
  amount_yen bigint not null,
  refused_at timestamptz not null
);
create index on cash.refusals (refused_at);

-- What a rule found. That it found something is no proof of anything.
create table cash.alerts (
  alert_id text primary key check (alert_id like 'alr\_%'),
  subject_no int not null,
  rule text not null,
  day date not null,
  first_at timestamptz not null,
  last_at timestamptz not null,
  times int not null,
  sum_yen bigint not null,
  found_at timestamptz not null,
  unique (subject_no, rule, day)
);
create index on cash.alerts (day);

-- What the city tells a resident about their wallet.
create table cash.notices (
  notice_no bigint generated always as identity primary key,
  subject_no int not null,
  kind text not null check (kind in ('suspended', 'reopened', 'dormant')),
  reason text not null default '',
  at timestamptz not null
);
create index on cash.notices (subject_no, notice_no);

-- The unused balance of a base day (基準日未使用残高) as it was reported.
create table cash.unused_balances (
  base_day date primary key,
  wallets bigint not null,
  opening_yen bigint not null,
  issued_yen bigint not null,
  recovered_yen bigint not null,
  unused_yen bigint not null check (unused_yen = opening_yen + issued_yen - recovered_yen),
  deposit_yen bigint not null,
  due_day date not null,
  entry_id text not null,
  made_at timestamptz not null
);

do $$
declare kept text;
begin
  foreach kept in array array['suspensions', 'refusals', 'alerts', 'notices', 'unused_balances'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
  end loop;
  -- Alerts are for officers, through the service: a resident is told of what is done, not of what is looked at.
  foreach kept in array array['suspensions', 'refusals', 'notices'] loop
    execute format('create policy own on cash.%I for select using (subject_no = (select ground.actor_subject()))', kept);
  end loop;
end $$;
revoke update, delete on cash.unused_balances, cash.notices, cash.refusals from sanpo_app;
