-- Accounts and transfers. Transfers only grow and never change; the sums of an account are derived from them, kept beside
-- it, and held to its limits by the database too. Who holds an account stands apart, behind row-level security.

create function ledger.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'the books only grow: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;

create table ledger.ledgers (
  ledger int primary key check (ledger > 0),
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  exponent smallint not null check (exponent between 0 and 8),
  name text not null
);

-- Room is left on each page, so that a change of the sums stays there and touches no index.
create table ledger.accounts (
  account_no bigint generated always as identity primary key,
  account_id uuid not null unique,
  ledger int not null references ledger.ledgers,
  code int not null,
  flags smallint not null,
  user_data uuid,
  created_at timestamptz not null,
  changed_at timestamptz not null,
  debits_pending bigint not null default 0,
  debits_posted bigint not null default 0,
  credits_pending bigint not null default 0,
  credits_posted bigint not null default 0,
  constraint sums_are_not_negative
    check (debits_pending >= 0 and debits_posted >= 0 and credits_pending >= 0 and credits_posted >= 0),
  constraint limits_hold check (
    (flags & 2 = 0 or debits_pending + debits_posted <= credits_posted)
    and (flags & 4 = 0 or credits_pending + credits_posted <= debits_posted))
) with (fillfactor = 50);
create trigger accounts_are_never_deleted before delete on ledger.accounts
  for each row execute function ledger.refuse_change();

-- A batch takes 8,192 numbers at once, after its locks: of one account's transfers the numbers are in the order in which
-- they were made, and `at` never goes back.
create sequence ledger.batches;

-- `released` is what a transfer released of the pending one that it posts, voids or lets expire.
create table ledger.transfers (
  transfer_no bigint not null,
  transfer_id uuid primary key,
  debit_account_no bigint not null,
  credit_account_no bigint not null,
  amount bigint not null check (amount >= 0),
  released bigint,
  at timestamptz not null,
  timeout_s bigint,
  ledger int not null,
  code int not null,
  flags smallint not null,
  pending_id uuid,
  user_data uuid
);
create index transfers_debits on ledger.transfers (debit_account_no, at, transfer_no);
create index transfers_credits on ledger.transfers (credit_account_no, at, transfer_no);
create index transfers_by_time on ledger.transfers using brin (at);
-- What is pending is resolved once.
create unique index transfers_resolving on ledger.transfers (pending_id) where pending_id is not null;
create index transfers_user_data on ledger.transfers (user_data, transfer_no) where user_data is not null;
create trigger transfers_never_change before update or delete on ledger.transfers
  for each row execute function ledger.refuse_change();

-- The sums of an account with `history` after each of its transfers.
create table ledger.balances (
  account_no bigint not null,
  at timestamptz not null,
  transfer_no bigint not null,
  debits_pending bigint not null,
  debits_posted bigint not null,
  credits_pending bigint not null,
  credits_posted bigint not null,
  primary key (account_no, at, transfer_no)
);
create trigger balances_never_change before update or delete on ledger.balances
  for each row execute function ledger.refuse_change();

-- Ids that failed for what stood in the books: a retry must not come out otherwise.
create table ledger.failures (
  transfer_id uuid primary key,
  at timestamptz not null
);

-- What is pending and can lapse; a row goes when it is resolved.
create table ledger.timeouts (
  transfer_id uuid primary key,
  expires_at timestamptz not null
);
create index timeouts_due on ledger.timeouts (expires_at);

-- Days that are closed: nothing is booked before `closed_until` any more.
create table ledger.closes (
  day date not null,
  ledger int not null references ledger.ledgers,
  closed_until timestamptz not null,
  accounts bigint not null,
  transfers bigint not null,
  debits_pending numeric not null,
  debits_posted numeric not null,
  credits_pending numeric not null,
  credits_posted numeric not null,
  accounts_sha256 text not null,
  entry_id text not null,
  primary key (ledger, day)
);
create index closes_until on ledger.closes (closed_until);
create trigger closes_never_change before update or delete on ledger.closes
  for each row execute function ledger.refuse_change();

-- Who holds an account.
create table ledger.holders (
  account_no bigint primary key references ledger.accounts,
  subject_no int,
  organisation_no int,
  check (num_nonnulls(subject_no, organisation_no) = 1)
);
create index holders_subject on ledger.holders (subject_no) where subject_no is not null;
create index holders_organisation on ledger.holders (organisation_no) where organisation_no is not null;
alter table ledger.holders enable row level security, force row level security;
create policy append on ledger.holders for insert to public with check (true);
create policy own on ledger.holders for select to public
  using (subject_no = ground.actor_subject() or organisation_no = ground.actor_organisation());
create policy duty on ledger.holders for select to public using (ground.actor_duty() = 'ledger');

revoke update, delete on ledger.transfers, ledger.balances, ledger.closes, ledger.holders, ledger.failures from sanpo_app;
