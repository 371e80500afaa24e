-- What the city charged a shop in a month. It stands as it was issued: rates and names that change later change none.
create table cash.invoices (
  invoice_id text primary key check (invoice_id like 'inv\_%'),
  shop_no int not null references cash.shops,
  organisation_no int not null,
  month date not null check (extract(day from month) = 1),
  issuer text not null,
  registration text not null,
  fee_yen bigint not null,
  tax_permille int not null,
  tax_yen bigint not null,
  issued_at timestamptz not null,
  unique (shop_no, month)
);

alter table cash.invoices enable row level security, force row level security;
create policy duty on cash.invoices using ((select ground.actor_duty()) = 'cash');
create policy sales on cash.invoices for select using (organisation_no = (select ground.actor_organisation()));
revoke update, delete on cash.invoices from sanpo_app;
