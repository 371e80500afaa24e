-- Shops are public: whoever pays must be able to see whom.
create table cash.shops (
  shop_no int generated always as identity primary key,
  shop_id text not null unique check (shop_id like 'shp\_%'),
  organisation_no int not null,
  merchant text not null unique check (merchant ~ '^[0-9]{13}$'),
  name text not null,
  local_name text not null,
  category text not null check (category ~ '^[0-9]{4}$'),
  district text not null,
  state text not null default 'open' check (state in ('open', 'suspended', 'closed')),
  reason text not null default '',
  registered_at timestamptz not null
);
create index on cash.shops (organisation_no);

-- One row for each payment that was made; its transfer in the ledger has the id derived from `payment_id`.
create table cash.payments (
  payment_no bigint generated always as identity primary key,
  payment_id text not null unique check (payment_id like 'pay\_%'),
  subject_no int not null,
  shop_no int not null references cash.shops,
  organisation_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  refunded_yen bigint not null default 0 check (refunded_yen between 0 and amount_yen),
  way text not null check (way in ('static', 'dynamic', 'code')),
  paid_at timestamptz not null
);
create index on cash.payments (subject_no, paid_at);
create index on cash.payments (shop_no, paid_at);

-- What was bought, where the till said so.
create table cash.lines (
  payment_no bigint not null references cash.payments,
  line_no smallint not null,
  subject_no int not null,
  organisation_no int not null,
  item text not null,
  category text not null,
  quantity int not null,
  unit_price_yen bigint not null,
  tax_permille smallint not null check (tax_permille between 0 and 1000),
  primary key (payment_no, line_no)
);

create table cash.refunds (
  refund_id text primary key check (refund_id like 'rfd\_%'),
  payment_no bigint not null references cash.payments,
  subject_no int not null,
  organisation_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  refunded_at timestamptz not null
);
create index on cash.refunds (payment_no);

-- A dynamic code's bill: paid once, until its time is over.
create table cash.bills (
  bill_id text primary key check (bill_id like 'bil\_%'),
  shop_no int not null references cash.shops,
  organisation_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  lines jsonb not null,
  expires_at timestamptz not null,
  payment_id text
);

-- One-time codes that residents show; kept as hashes.
create table cash.codes (
  code_sha256 bytea primary key,
  subject_no int not null,
  expires_at timestamptz not null,
  payment_id text
);

create table cash.charges (
  charge_id text primary key check (charge_id like 'chg\_%'),
  subject_no int not null,
  amount_yen bigint not null check (amount_yen > 0),
  charged_at timestamptz not null
);

-- The second wall. A payment is seen by its resident, as a sale by its shop's organisation, and by the service's own duty.
do $$
declare kept text;
begin
  foreach kept in array array['payments', 'lines', 'refunds', 'bills', 'codes', 'charges'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
  end loop;
  foreach kept in array array['payments', 'lines', 'refunds', 'charges', 'codes'] loop
    execute format('create policy own on cash.%I for select using (subject_no = (select ground.actor_subject()))', kept);
  end loop;
  foreach kept in array array['bills', 'payments', 'lines', 'refunds'] loop
    execute format('create policy sales on cash.%I for select using (organisation_no = (select ground.actor_organisation()))', kept);
  end loop;
end $$;
