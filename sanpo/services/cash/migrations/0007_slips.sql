-- A payment by a slip that was signed while there was no network.
alter table cash.payments drop constraint payments_way_check;
alter table cash.payments add constraint payments_way_check check (way in ('static', 'dynamic', 'code', 'slip'));

-- The key of a resident's device, and the money that is reserved for what it signs. The reserve is a pending transfer of the
-- ledger, made anew with each slip that is paid: `reserve_no` says which is the present one.
create table cash.slip_keys (
  key_id text primary key check (key_id like 'slk\_%'),
  subject_no int not null,
  algorithm text not null check (algorithm in ('ed25519', 'es256')),
  public_key bytea not null,
  certificate bytea not null,
  reserve_yen bigint not null check (reserve_yen > 0),
  left_yen bigint not null check (left_yen between 0 and reserve_yen),
  limit_yen bigint not null check (limit_yen > 0),
  reserve_no int not null default 0,
  valid_from timestamptz not null,
  valid_until timestamptz not null check (valid_until > valid_from),
  redeem_until timestamptz not null check (redeem_until > valid_until),
  state text not null default 'active' check (state in ('active', 'suspended', 'ended')),
  cause text check (cause in ('lost', 'spent_twice', 'above_reserve')),
  suspended_at timestamptz,
  check ((cause is null) = (suspended_at is null))
);
create index on cash.slip_keys (subject_no);
create index on cash.slip_keys (redeem_until) where state <> 'ended';

-- What was redeemed: a number of a key once.
create table cash.slips (
  key_id text not null references cash.slip_keys,
  slip_no bigint not null check (slip_no > 0),
  subject_no int not null,
  shop_no int not null references cash.shops,
  organisation_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  payment_id text not null unique references cash.payments (payment_id),
  message bytea not null, -- what was signed
  signature bytea not null,
  redeemed_at timestamptz not null,
  primary key (key_id, slip_no)
);

-- Evidence: a signed slip that takes a number again for something else, or more than the reserve. With the key's certificate, and
-- the slip of the same number, anybody can check it.
create table cash.slip_offences (
  offence_id text primary key check (offence_id like 'off\_%'),
  key_id text not null references cash.slip_keys,
  slip_no bigint not null,
  subject_no int not null,
  shop_no int not null references cash.shops,
  organisation_no int not null,
  kind text not null check (kind in ('spent_twice', 'above_reserve')),
  amount_yen bigint not null check (amount_yen > 0),
  message bytea not null,
  signature bytea not null,
  found_at timestamptz not null,
  unique (key_id, message)
);

do $$
declare kept text;
begin
  foreach kept in array array['slip_keys', 'slips', 'slip_offences'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
    execute format('create policy own on cash.%I for select using (subject_no = (select ground.actor_subject()))', kept);
  end loop;
end $$;
create policy sales on cash.slips for select using (organisation_no = (select ground.actor_organisation()));
create policy sales on cash.slip_offences for select using (organisation_no = (select ground.actor_organisation()));
