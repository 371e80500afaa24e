-- `used` are the entities whose use an attempt has recorded: to send the same notification again is no other use.
-- `ended` counts the dead notifications of a subscription that were given up for good. What is `streamed` is fetched by its
-- owner, not sent.
alter table broker.notifications add column used bigint[] not null default '{}', add column died_at timestamptz;
update broker.notifications set died_at = due_at where dead;
alter table broker.subscriptions add column ended bigint not null default 0, add column last_ended_at timestamptz,
  add column streamed boolean not null default false;

-- The first waiting notification of each subscription that has one (one step of the index for each), and when it may leave.
create view broker.heads with (security_invoker = true) as
with recursive head as (
  (select subscription_no, notification_no from broker.notifications where not dead
   order by subscription_no, notification_no limit 1)
  union all
  select n.subscription_no, n.notification_no from head h cross join lateral (
    select subscription_no, notification_no from broker.notifications
    where not dead and subscription_no > h.subscription_no order by subscription_no, notification_no limit 1) n
)
select s.subscription_no, n.notification_no, s.endpoint, s.failures, n.due_at,
       greatest(n.due_at, s.retry_at, n.claimed_until) as ready_at
from head join broker.notifications n using (notification_no)
join broker.subscriptions s on s.subscription_no = n.subscription_no
where not s.streamed;
