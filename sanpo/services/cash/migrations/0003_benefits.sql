-- A campaign gives residents an amount each, or a rate of what they pay, from a budget. Public: it is the city's money.
create table cash.campaigns (
  campaign_no int generated always as identity primary key,
  campaign_id text not null unique check (campaign_id like 'cmp\_%'),
  organisation_no int, -- whose money it is; null: the city's
  name_ja text not null,
  name_en text not null,
  amount_yen bigint not null check (amount_yen >= 0),
  rate_permille int not null check (rate_permille between 0 and 1000),
  cap_yen bigint not null check (cap_yen >= 0),
  budget_yen bigint not null check (budget_yen > 0),
  left_yen bigint not null check (left_yen between 0 and budget_yen), -- once it is open, what its account holds
  first_day date not null,
  last_day date not null check (last_day >= first_day),
  valid_days int not null check (valid_days >= 0), -- 0: until the last day
  by_claim boolean not null,
  state text not null default 'draft' check (state in ('draft', 'open', 'ended')),
  created_at timestamptz not null,
  check ((amount_yen > 0) <> (rate_permille > 0)),
  check ((rate_permille > 0) = (cap_yen > 0))
);

-- The shops where what it gives is worth something; none: all of them.
create table cash.campaign_shops (
  campaign_no int not null references cash.campaigns,
  shop_no int not null references cash.shops,
  primary key (campaign_no, shop_no)
);

-- Who takes part in a campaign that gives a rate, and how much that came to.
create table cash.claims (
  campaign_no int not null references cash.campaigns,
  subject_no int not null,
  given_yen bigint not null default 0 check (given_yen >= 0),
  claimed_at timestamptz not null,
  primary key (campaign_no, subject_no)
);
create index on cash.claims (subject_no);

-- Yen that a resident holds until a moment. Those of a resident come to what the resident's account of benefits holds. What was
-- granted is left, has gone back to the funder, or was spent.
create table cash.lots (
  lot_no bigint generated always as identity primary key,
  lot_id text not null unique check (lot_id like 'lot\_%'),
  subject_no int not null,
  campaign_no int references cash.campaigns,
  agreement_no int, -- what an agreement pays for uses
  organisation_no int, -- to whom goes back what is not spent; null: the city
  occasion text not null, -- of a campaign that gives an amount; of one that gives a rate the payment
  is_bound boolean not null, -- to the campaign's shops
  granted_yen bigint not null check (granted_yen > 0),
  left_yen bigint not null check (left_yen >= 0),
  returned_yen bigint not null default 0 check (returned_yen >= 0),
  withheld_yen bigint not null default 0 check (withheld_yen >= 0), -- paid back in money, since it was spent
  granted_at timestamptz not null,
  expires_at timestamptz not null,
  check (left_yen + returned_yen <= granted_yen),
  check (num_nonnulls(campaign_no, agreement_no) = 1)
);
create unique index on cash.lots (campaign_no, subject_no, occasion) where campaign_no is not null;
create unique index on cash.lots (agreement_no, subject_no, expires_at) where agreement_no is not null;
create index on cash.lots (subject_no, expires_at);
create index on cash.lots (expires_at) where left_yen > 0;

-- Which part of a payment came from which lot, and how much of that a refund has given back.
create table cash.lot_uses (
  payment_id text not null references cash.payments (payment_id),
  lot_no bigint not null references cash.lots,
  subject_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  restored_yen bigint not null default 0 check (restored_yen between 0 and amount_yen),
  primary key (payment_id, lot_no)
);
create index on cash.lot_uses (lot_no);

-- What a use is to pay its residents (bit n % 8 of byte n // 8 for subject n); those before `next_subject` have it.
create table cash.payouts (
  entry_no bigint primary key,
  agreement_no int not null,
  organisation_no int not null,
  yen_each bigint not null check (yen_each > 0),
  subjects bytea not null,
  subject_count int not null check (subject_count > 0),
  next_subject int not null default 0,
  used_at timestamptz not null,
  paid_at timestamptz
);
create index on cash.payouts (entry_no) where paid_at is null;

do $$
declare kept text;
begin
  foreach kept in array array['claims', 'lots', 'lot_uses', 'payouts'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
  end loop;
  foreach kept in array array['claims', 'lots', 'lot_uses'] loop
    execute format('create policy own on cash.%I for select using (subject_no = (select ground.actor_subject()))', kept);
  end loop;
end $$;

-- A use is released in the transaction of who asked.
create policy release on cash.payouts for insert with check (
  organisation_no = (select ground.actor_organisation()) or (select ground.actor_duty()) <> ''
);
