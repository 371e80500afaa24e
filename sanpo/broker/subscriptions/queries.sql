-- name: watch
-- Holds the row, so that the last subscription's end and a new one's begin do not cross.
update broker.tenants set watched = true where tenant_no = %(tenant_no)s

-- name: hold_tenant
select tenant_no from broker.tenants where tenant_no = %(tenant_no)s for no key update

-- name: unwatch
update broker.tenants set watched = exists (select from broker.subscriptions s where s.tenant_no = %(tenant_no)s and s.kind = 'entities')
where tenant_no = %(tenant_no)s

-- name: raise_revision
insert into broker.subscription_revision (revision) values (1)
on conflict (only_row) do update set revision = subscription_revision.revision + 1 returning revision

-- name: revision
select revision from broker.subscription_revision

-- name: insert_subscription
insert into broker.subscriptions (tenant_no, kind, subscription_id, owner, organisation_no, organisation_id, client_id,
                                  agreement_id, doc, context, endpoint, streamed, is_active, expires_at, every_s, next_at,
                                  revision, created_at, modified_at)
values (%(tenant_no)s, %(kind)s, %(subscription_id)s, %(owner)s, %(organisation_no)s, %(organisation_id)s, %(client_id)s,
        %(agreement_id)s, %(doc)s::jsonb, %(context)s::jsonb, %(endpoint)s, %(streamed)s, %(is_active)s, %(expires_at)s::timestamptz,
        %(every_s)s::float8, %(next_at)s::timestamptz, %(revision)s, %(now)s, %(now)s)
on conflict do nothing returning subscription_no

-- name: update_subscription
update broker.subscriptions set doc = %(doc)s::jsonb, context = %(context)s::jsonb, endpoint = %(endpoint)s,
       streamed = %(streamed)s, is_active = %(is_active)s, expires_at = %(expires_at)s::timestamptz, every_s = %(every_s)s::float8,
       next_at = %(next_at)s::timestamptz, revision = %(revision)s, modified_at = %(now)s, failures = 0, retry_at = null
where subscription_no = %(subscription_no)s

-- name: lock_subscription
select *, doc::text as text, context::text as context_text from broker.subscriptions
where tenant_no = %(tenant_no)s and kind = %(kind)s and subscription_id = %(subscription_id)s and owner = %(owner)s for update

-- name: subscription
select *, doc::text as text from broker.subscriptions
where tenant_no = %(tenant_no)s and kind = %(kind)s and subscription_id = %(subscription_id)s and owner = %(owner)s

-- name: subscriptions
select *, doc::text as text from broker.subscriptions
where tenant_no = %(tenant_no)s and kind = %(kind)s and owner = %(owner)s
order by subscription_no limit %(limit)s offset %(offset)s

-- name: count_subscriptions
select count(*) as n from broker.subscriptions where tenant_no = %(tenant_no)s and kind = %(kind)s and owner = %(owner)s

-- name: delete_subscription
delete from broker.subscriptions
where tenant_no = %(tenant_no)s and kind = %(kind)s and subscription_id = %(subscription_id)s and owner = %(owner)s returning subscription_no

-- name: drop_waiting
delete from broker.notifications where subscription_no = %(subscription_no)s and not dead

-- name: known
select subscription_no, revision from broker.subscriptions where is_active and kind = 'entities'

-- name: load
select s.*, s.doc::text as text, s.context::text as context_text, t.name as tenant
from broker.subscriptions s join broker.tenants t using (tenant_no) where s.subscription_no = any(%(numbers)s::bigint[])

-- name: load_to_sources
select s.*, s.doc::text as text, s.context::text as context_text, t.name as tenant
from broker.subscriptions s join broker.tenants t using (tenant_no)
where s.tenant_no = %(tenant_no)s and s.kind = 'sources' and s.is_active order by s.subscription_no

-- name: told
select told::text as told from broker.subscriptions where subscription_no = %(subscription_no)s

-- name: note_told
update broker.subscriptions set told = %(told)s::jsonb, last_due_at = %(now)s where subscription_no = %(subscription_no)s

-- name: tell_soon
-- One that is told at intervals has its next moment already.
update broker.subscriptions
set next_at = coalesce(next_at, greatest(%(now)s, last_due_at + make_interval(secs => %(throttling_s)s)))
where subscription_no = %(subscription_no)s

-- name: alone
-- One at a time turns changes into notifications, so that they keep their order.
select pg_try_advisory_xact_lock(7021, 1) as is_alone

-- name: take_changes
with due as (select change_no from broker.changes order by change_no limit %(limit)s for update)
delete from broker.changes c using due where c.change_no = due.change_no
returning c.change_no, c.tenant_no, c.entity_no, c.kind, c.added, c.updated, c.removed, c.before::text as before,
          c.after::text as after, c.subjects, c.at

-- name: last_due
select subscription_no, last_due_at from broker.subscriptions where subscription_no = any(%(numbers)s::bigint[])

-- name: held
-- Notifications that wait for their time, to which more may be added.
select notification_no, subscription_no, items::text as items, due_at from broker.notifications
where subscription_no = any(%(numbers)s::bigint[]) and not dead and attempts = 0 and claimed_until is null
  and not periodic and due_at > %(now)s order by notification_no for update

-- name: refill
update broker.notifications set items = %(items)s::jsonb where notification_no = %(notification_no)s

-- name: queue
insert into broker.notifications (notification_id, subscription_no, items, periodic, trigger_reason, queued_at, due_at)
select g.id, g.no, g.items::jsonb, g.periodic, g.reason, %(now)s, g.due
from unnest(%(ids)s::text[], %(numbers)s::bigint[], %(items)s::text[], %(due)s::timestamptz[], %(periodic)s::boolean[],
            %(reasons)s::text[]) with ordinality as g (id, no, items, due, periodic, reason, place)
join broker.subscriptions s on s.subscription_no = g.no order by g.place

-- name: note_due
update broker.subscriptions set last_due_at = %(due_at)s where subscription_no = %(subscription_no)s

-- name: take_periodic
-- One that is not told at intervals has asked for this moment alone.
update broker.subscriptions s
set next_at = case when s.every_s is not null then greatest(s.next_at + make_interval(secs => s.every_s), %(now)s) end
where s.subscription_no in (select d.subscription_no from broker.subscriptions d
                            where d.next_at <= %(now)s and d.is_active order by d.next_at limit %(limit)s
                            for update skip locked)
returning s.subscription_no, s.kind, s.expires_at, s.every_s is not null as is_periodic,
          exists (select from broker.notifications n where n.subscription_no = s.subscription_no and n.periodic
                  and not n.dead and not (s.streamed and n.attempts > 0)) as is_waiting

-- name: heads
select subscription_no, endpoint, failures from broker.heads where ready_at <= %(now)s
order by failures > 0, due_at, notification_no limit %(limit)s

-- name: next_due
-- When something is to be done that nobody rings for.
select least((select min(ready_at) from broker.heads where ready_at > %(now)s),
             (select min(next_at) from broker.subscriptions where next_at is not null and is_active),
             (select min(expires_at) from broker.registrations where not ended)) as at

-- name: ring
select pg_notify('broker_changes', '')

-- name: no_wait
-- A claim or a delivery that a crash of the database takes back is made again, under the same id.
set local synchronous_commit = off

-- name: claim
-- The first of each subscription, if it is due and nobody has it.
update broker.notifications n set claimed_until = %(until)s, attempts = n.attempts + 1
from broker.subscriptions s
where s.subscription_no = any(%(numbers)s::bigint[])
  and n.notification_no = (select f.notification_no from broker.notifications f
                           where f.subscription_no = s.subscription_no and not f.dead order by f.notification_no limit 1)
  and n.due_at <= %(now)s and (n.claimed_until is null or n.claimed_until <= %(now)s) and not n.dead
returning n.notification_no, n.subscription_no, n.notification_id, n.items::text as items, n.periodic, n.trigger_reason,
          n.attempts, n.queued_at, n.used, s.is_active

-- name: delivered
-- To try again is the same notification: what has failed before is counted already.
with gone as (
  delete from broker.notifications where notification_no = any(%(numbers)s::bigint[]) returning subscription_no, error
), counted as (
  select subscription_no, count(*) filter (where error is null) as n from gone group by subscription_no
), held as materialized (  -- in the order in which whoever changes several locks them
  select subscription_no from broker.subscriptions where subscription_no in (select subscription_no from counted)
  order by subscription_no for no key update
)
update broker.subscriptions s set times_sent = times_sent + counted.n, last_notification = %(now)s, last_success = %(now)s,
       failures = 0, retry_at = null, last_error = null,
       is_active = is_active and coalesce(doc -> 'v2' ->> 'status', '') <> 'oneshot'
from held join counted using (subscription_no) where s.subscription_no = held.subscription_no

-- name: drop_notification
delete from broker.notifications where notification_no = %(notification_no)s

-- name: failed
with before as (
  select (error is null)::int as counts from broker.notifications where notification_no = %(notification_no)s
), noted as (
  update broker.notifications set claimed_until = null, error = %(error)s, used = %(used)s::bigint[],
         dead = dead or attempts >= %(most)s or queued_at < %(oldest)s, died_at = %(now)s
  where notification_no = %(notification_no)s returning subscription_no
)
update broker.subscriptions s set times_sent = times_sent + counts, times_failed = times_failed + counts,
       last_notification = %(now)s, last_failure = %(now)s, last_error = %(error)s, failures = failures + 1,
       retry_at = %(now)s + make_interval(secs => least(%(most_wait_s)s, power(2, least(failures, 30)))),
       is_active = is_active and coalesce(failures + 1 < (doc -> 'v2' -> 'notification' ->> 'maxFailsLimit')::int, true)
from noted, before where s.subscription_no = noted.subscription_no

-- name: unclaim
update broker.notifications set claimed_until = null, attempts = attempts - 1, due_at = %(due_at)s
where notification_no = %(notification_no)s

-- name: deliveries
select n.notification_id, s.subscription_id, t.name as tenant, s.endpoint, n.dead, n.attempts, n.queued_at, n.due_at,
       n.error, jsonb_array_length(n.items) as entities
from broker.notifications n join broker.subscriptions s using (subscription_no) join broker.tenants t using (tenant_no)
where (%(subscription_no)s::bigint is null or s.subscription_no = %(subscription_no)s)
  and (not %(dead_only)s or n.dead) and not (s.streamed and n.attempts > 0)
order by n.notification_no limit %(limit)s

-- name: replay
with again as (
  update broker.notifications n set dead = false, attempts = 0, due_at = %(now)s, queued_at = %(now)s, claimed_until = null
  from broker.subscriptions s where s.subscription_no = n.subscription_no and n.dead
    and (%(subscription_id)s::text is null or s.subscription_id = %(subscription_id)s)
    and (%(notification_id)s::text is null or n.notification_id = %(notification_id)s)
  returning n.subscription_no
), calm as (
  update broker.subscriptions set failures = 0, retry_at = null where subscription_no in (select subscription_no from again)
)
select count(*) as n from again

-- name: bury
-- Dead ones that nobody has sent again in time end; how many is kept.
with gone as (
  delete from broker.notifications where dead and died_at < %(before)s returning subscription_no
), counted as (
  select subscription_no, count(*) as n from gone group by subscription_no
), noted as (
  update broker.subscriptions s set ended = s.ended + counted.n, last_ended_at = %(now)s
  from counted where s.subscription_no = counted.subscription_no
)
select coalesce(sum(n), 0)::bigint as n from counted

-- name: ended
select s.subscription_id, t.name as tenant, s.endpoint, s.ended, s.last_ended_at
from broker.subscriptions s join broker.tenants t using (tenant_no) where s.ended > 0
order by s.last_ended_at desc limit %(limit)s

-- name: position
-- After which notification a stream goes on: after the one that is named, if it is kept; else, where none is named, after all that
-- were sent. `attempts` of a streamed one are how often it was.
select coalesce(case when %(notification_id)s::text is null
                     then (select max(notification_no) from broker.notifications
                           where subscription_no = %(subscription_no)s and attempts > 0)
                     else (select notification_no from broker.notifications
                           where subscription_no = %(subscription_no)s and notification_id = %(notification_id)s) end, 0) as after

-- name: next_events
-- In order: one that is not due yet holds back those behind it.
select notification_no, notification_id, items::text as items, periodic, trigger_reason, used from broker.notifications n
where subscription_no = %(subscription_no)s and not dead and notification_no > %(after)s and due_at <= %(now)s
  and not exists (select from broker.notifications f where f.subscription_no = %(subscription_no)s and not f.dead
                  and f.notification_no > %(after)s and f.notification_no < n.notification_no and f.due_at > %(now)s)
order by notification_no limit %(limit)s

-- name: next_event_due
select (select due_at from broker.notifications
        where subscription_no = %(subscription_no)s and not dead and notification_no > %(after)s
        order by notification_no limit 1) as at

-- name: note_used
update broker.notifications set used = %(used)s::bigint[] where notification_no = %(notification_no)s

-- name: note_sent
with sent as (
  update broker.notifications set attempts = attempts + 1 where notification_no = any(%(numbers)s::bigint[])
  returning attempts
)
update broker.subscriptions set times_sent = times_sent + (select count(*) from sent where attempts = 1),
       last_notification = %(now)s, last_success = %(now)s where subscription_no = %(subscription_no)s

-- name: drop_sent
delete from broker.notifications where subscription_no = %(subscription_no)s and attempts > 0

-- name: end_events
-- Events are kept for a time, and so many at the most; those that nobody has fetched are counted.
with gone as (
  delete from broker.notifications n using broker.subscriptions s
  where s.subscription_no = n.subscription_no and s.streamed
    and (n.queued_at < %(before)s or n.notification_no <= (
      select f.notification_no from broker.notifications f where f.subscription_no = s.subscription_no
      order by f.notification_no desc offset %(most)s limit 1))
  returning n.subscription_no, n.attempts
), counted as (
  select subscription_no, count(*) as n from gone where attempts = 0 group by subscription_no
), noted as (
  update broker.subscriptions s set ended = s.ended + counted.n, last_ended_at = %(now)s
  from counted where s.subscription_no = counted.subscription_no
)
select count(*) as n from gone

-- name: tell_streams
select pg_notify('broker_events', no::text) from broker.subscriptions s join unnest(%(numbers)s::bigint[]) no
  on s.subscription_no = no where s.streamed

-- name: active_subscriptions
select *, doc::text as text, context::text as context_text from broker.subscriptions
where tenant_no = %(tenant_no)s and kind = 'entities' and is_active and not doc ? 'v2' order by subscription_no

-- name: pass_on
insert into broker.passed_subscriptions (secret_sha256, subscription_no, registration_no)
select g.secret, s.subscription_no, r.registration_no
from unnest(%(registration_ids)s::text[], %(secrets)s::bytea[]) as g (registration_id, secret)
join broker.registrations r on r.tenant_no = %(tenant_no)s and r.registration_id = g.registration_id
join broker.subscriptions s on s.subscription_no = %(subscription_no)s

-- name: passed
update broker.passed_subscriptions set remote_id = %(remote_id)s where secret_sha256 = %(secret)s

-- name: not_passed
delete from broker.passed_subscriptions where secret_sha256 = %(secret)s

-- name: take_back
delete from broker.passed_subscriptions p using broker.subscriptions s, broker.registrations r
where s.subscription_no = p.subscription_no and r.registration_no = p.registration_no and s.tenant_no = %(tenant_no)s
  and s.subscription_id = %(subscription_id)s and s.owner = %(owner)s and s.kind = %(kind)s
returning r.registration_id, p.remote_id

-- name: take_back_from
delete from broker.passed_subscriptions p using broker.registrations r
where r.registration_no = p.registration_no and r.tenant_no = %(tenant_no)s and r.registration_id = %(registration_id)s
returning p.remote_id

-- name: passed_by
select p.subscription_no, r.doc::text as text
from broker.passed_subscriptions p join broker.registrations r using (registration_no) where p.secret_sha256 = %(secret)s
