-- Subscriptions (ETSI GS CIM 009 §5.2.12). `doc` holds what was asked with expanded names; `context` is what notifications
-- are written with. `owner` says whose it is: nobody else knows that it exists.
create table broker.subscriptions (
  subscription_no bigint generated always as identity primary key,
  tenant_no int not null references broker.tenants,
  subscription_id text not null,
  owner text not null,
  organisation_no int,
  organisation_id text,
  client_id text,
  agreement_id text,
  doc jsonb not null,
  context jsonb not null,
  endpoint text not null,
  is_active boolean not null,
  expires_at timestamptz,
  every_s float8,
  next_at timestamptz,
  last_due_at timestamptz,
  revision bigint not null,
  created_at timestamptz not null,
  modified_at timestamptz not null,
  times_sent bigint not null default 0,
  times_failed bigint not null default 0,
  last_notification timestamptz,
  last_success timestamptz,
  last_failure timestamptz,
  last_error text,
  failures int not null default 0,
  retry_at timestamptz,
  constraint subscription_is_one unique (tenant_no, subscription_id)
);
create index subscriptions_by_owner on broker.subscriptions (tenant_no, owner, subscription_no);
create index subscriptions_in_time on broker.subscriptions (next_at) where next_at is not null;

-- Raised with each change of a subscription: what a process remembers of them holds while this stays the same.
create table broker.subscription_revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);

-- Notifications that have not arrived. What has arrived is deleted; `dead` ones wait for whoever repairs the receiver.
-- `items` are the changes that it tells, with the entities in canonical form: what of them its owner may see is
-- decided when it is sent. A claim ends by itself, so that another sender goes on where one was killed.
create table broker.notifications (
  notification_no bigint generated always as identity primary key,
  notification_id text not null unique,
  subscription_no bigint not null references broker.subscriptions on delete cascade,
  items jsonb not null,
  periodic boolean not null default false,
  dead boolean not null default false,
  attempts int not null default 0,
  queued_at timestamptz not null,
  due_at timestamptz not null,
  claimed_until timestamptz,
  error text
);
create index notifications_in_order on broker.notifications (subscription_no, notification_no) where not dead;
create index notifications_dead on broker.notifications (subscription_no, notification_no) where dead;

do $$
declare kept text;
begin
  foreach kept in array array['subscriptions', 'notifications'] loop
    execute format('alter table broker.%I enable row level security', kept);
    execute format('alter table broker.%I force row level security', kept);
    execute format('create policy duty on broker.%I using ((select ground.actor_duty()) in (''broker'', ''jobs'', ''simulator''))', kept);
  end loop;
end $$;
