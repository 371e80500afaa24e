-- Purchases go to the lake in moves. A move is begun with its rows, lands in the lake under its id, and ends: one that was cut
-- off in between is found begun, and lands again without a row coming twice.
create table cash.flows (
  flow_id text primary key check (flow_id like 'flw\_%'),
  begun_at timestamptz not null,
  landed_at timestamptz
);
create unique index on cash.flows ((true)) where landed_at is null;

-- Null: not yet moved. 'erased': the resident had it erased before.
alter table cash.payments add column flow_id text;
alter table cash.refunds add column flow_id text;
create index on cash.payments (payment_no) where flow_id is null;
create index on cash.refunds (refund_id) where flow_id is null;
create index on cash.payments (flow_id);
create index on cash.refunds (flow_id);

-- An erasure is the duty of the jobs.
create policy erasing on cash.payments using ((select ground.actor_duty()) = 'jobs');
create policy erasing on cash.refunds using ((select ground.actor_duty()) = 'jobs');
