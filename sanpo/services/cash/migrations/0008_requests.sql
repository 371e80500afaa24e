-- A resident asks others for money: each share is a code that one of them may pay, or decline.
create table cash.requests (
  request_id text primary key check (request_id like 'req\_%'),
  subject_no int not null,
  note text not null check (length(note) <= 60),
  asked_at timestamptz not null,
  expires_at timestamptz not null check (expires_at > asked_at)
);
create index on cash.requests (subject_no, asked_at);

create table cash.shares (
  request_id text not null references cash.requests,
  share_no smallint not null,
  subject_no int not null, -- who asks
  amount_yen bigint not null check (amount_yen > 0),
  code_sha256 bytea not null unique,
  state text not null default 'open' check (state in ('open', 'paid', 'declined', 'withdrawn')),
  payer_no int check (payer_no <> subject_no),
  answered_at timestamptz,
  primary key (request_id, share_no),
  check ((state in ('paid', 'declined')) = (payer_no is not null)),
  check ((state = 'open') = (answered_at is null))
);
create index on cash.shares (payer_no, answered_at) where payer_no is not null;

do $$
declare kept text;
begin
  foreach kept in array array['requests', 'shares'] loop
    execute format('alter table cash.%I enable row level security', kept);
    execute format('alter table cash.%I force row level security', kept);
    execute format('create policy duty on cash.%I using ((select ground.actor_duty()) = ''cash'')', kept);
    execute format('create policy own on cash.%I for select using (subject_no = (select ground.actor_subject()))', kept);
  end loop;
end $$;
create policy answered on cash.shares for select using (payer_no = (select ground.actor_subject()));

-- The number under which a shop issues qualified invoices (consumption tax), which its receipts show.
alter table cash.shops add column registration text not null default '' check (registration ~ '^(T[0-9]{13})?$');
