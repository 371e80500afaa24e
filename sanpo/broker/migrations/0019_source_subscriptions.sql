-- Subscriptions to registrations (ETSI GS CIM 009 §5.11) lie beside those to entities; `kind` says what one is about. `told` are the
-- registrations that one with a pace of its own (timeInterval, throttling) was told last, by id.
alter table broker.subscriptions
  add column kind text not null default 'entities' check (kind in ('entities', 'sources')),
  add column told jsonb not null default '{}',
  drop constraint subscription_is_one,
  add constraint subscription_is_one unique (tenant_no, kind, subscription_id);
alter table broker.notifications add column trigger_reason text
  check (trigger_reason in ('newlyMatching', 'updated', 'noLongerMatching'));

-- `ended`: that its time is over has been told.
alter table broker.registrations add column ended boolean not null default false;
update broker.registrations set ended = true where expires_at <= now();
create index registrations_in_time on broker.registrations (expires_at) where not ended;
