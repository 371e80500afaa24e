-- Subscriptions that were passed on to other sources (ETSI GS CIM 009 §5.8.1.4): under which id each is known there. Who
-- sends the secret speaks for that source.
create table broker.passed_subscriptions (
  secret_sha256 bytea primary key,
  subscription_no bigint not null references broker.subscriptions on delete cascade,
  registration_no bigint not null references broker.registrations on delete cascade,
  remote_id text -- none while the source has not answered
);
create index on broker.passed_subscriptions (subscription_no);
create index on broker.passed_subscriptions (registration_no);
