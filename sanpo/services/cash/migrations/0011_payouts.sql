-- The bank account to which a shop is paid.
create table cash.payees (
  shop_no int primary key references cash.shops,
  organisation_no int not null,
  bank_code text not null check (bank_code ~ '^[0-9]{4}$'),
  branch_code text not null check (branch_code ~ '^[0-9]{3}$'),
  account_no text not null check (account_no ~ '^[0-9]{7}$'),
  holder text not null
);

-- Orders to the bank, and which settlements each pays: one is paid by one order, to the account of that moment.
create table cash.payment_orders (
  order_id text primary key check (order_id like 'ord\_%'),
  made_at timestamptz not null,
  payouts int not null,
  total_yen bigint not null
);
create table cash.ordered_payouts (
  settlement_id text primary key references cash.settlements,
  order_id text not null references cash.payment_orders,
  payout_yen bigint not null,
  bank_code text not null,
  branch_code text not null,
  account_no text not null,
  holder text not null
);
create index on cash.ordered_payouts (order_id);

do $$
declare kept text;
begin
  foreach kept in array array['payees', 'payment_orders', 'ordered_payouts'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
  end loop;
end $$;
create policy sales on cash.payees for select using (organisation_no = (select ground.actor_organisation()));
revoke update, delete on cash.payment_orders, cash.ordered_payouts from sanpo_app;
