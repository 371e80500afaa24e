-- name: insert_agreement
insert into consent.agreements (agreement_id, organisation_no, sha256, document, service, replaces_no, state,
                                first_day, last_day, published_at)
values (%(agreement_id)s, %(organisation_no)s, %(sha256)s, %(document)s, %(service)s, %(replaces_no)s, 'proposed',
        %(first_day)s, %(last_day)s, %(published_at)s)
on conflict (sha256) do nothing
returning agreement_no

-- name: agreement
select * from consent.agreements where agreement_id = %(agreement_id)s

-- name: agreement_by_no
select * from consent.agreements where agreement_no = %(agreement_no)s

-- name: agreements
select * from consent.agreements
where (%(organisation_no)s::int is null or organisation_no = %(organisation_no)s)
  and (%(state)s::text is null or state = %(state)s)
  and (%(service)s::text is null or service = %(service)s)
order by agreement_no desc

-- name: lock_agreement
select * from consent.agreements where agreement_id = %(agreement_id)s for update

-- name: decide_agreement
update consent.agreements set state = %(state)s, decided_at = %(at)s, decided_by = %(by)s, decision_note = %(note)s
where agreement_no = %(agreement_no)s

-- name: grant
select a.*, g.state as grant_state, g.since_at, g.expires_at
from consent.agreements a
left join consent.grants g on g.agreement_no = a.agreement_no and g.subject_no = %(subject_no)s
where a.agreement_id = %(agreement_id)s

-- name: offers
select a.*, g.state as grant_state, g.since_at, g.expires_at
from consent.agreements a
left join consent.grants g on g.agreement_no = a.agreement_no and g.subject_no = %(subject_no)s
where (a.state = 'approved' and a.last_day >= %(today)s) or g.state is not null
order by a.agreement_no desc

-- name: move_grant
-- The grant, its event and its bit in one statement; no row where the state before is no longer there.
with moved as (
  insert into consent.grants as g (subject_no, agreement_no, state, since_at, expires_at)
  values (%(subject_no)s, %(agreement_no)s, %(state)s, %(at)s, %(expires_at)s)
  on conflict (subject_no, agreement_no) do update
    set state = excluded.state, since_at = excluded.since_at, expires_at = excluded.expires_at
    where g.state = %(before)s
  returning 1
), event as (
  insert into consent.grant_events (event_id, subject_no, agreement_no, state, at, expires_at, acted_by, acted_as, language,
                                    record, signature, entry_id)
  select %(event_id)s, %(subject_no)s, %(agreement_no)s, %(state)s, %(at)s, %(expires_at)s, %(acted_by)s, %(acted_as)s,
         %(language)s, %(record)s, %(signature)s, %(entry_id)s
  from moved
)
select case when %(flips)s then consent.flip(%(agreement_no)s, %(subject_no)s, %(granted)s) end from moved

-- name: lock_withdrawals
select pg_advisory_xact_lock(1129270868, %(agreement_no)s)

-- name: share_withdrawals
select pg_advisory_xact_lock_shared(1129270868, %(agreement_no)s)

-- name: hold
-- From here to the transaction's end nobody can withdraw from the agreement, and its rows are in sight.
select pg_advisory_xact_lock_shared(1129270868, %(agreement_no)s),
  set_config('sanpo.agreement_no', %(agreement_no)s::int::text, true)

-- name: granting
-- Who of them grants, and how far the agreement's set reaches.
select s.subject_no,
  (select max(chunk_no) from consent.granted_chunks where agreement_no = %(agreement_no)s) as last_chunk_no
from unnest(%(subjects)s::int[]) as s (subject_no)
join consent.granted_chunks c on c.agreement_no = %(agreement_no)s and c.chunk_no = s.subject_no / 2048
where get_bit(c.bits, mod(s.subject_no, 2048)) = 1 and not exists (
  select from consent.grants g
  where g.subject_no = s.subject_no and g.agreement_no = c.agreement_no
    and g.state in ('given', 'renewed') and g.expires_at <= %(now)s)

-- name: granted_chunks
select chunk_no, bits from consent.granted_chunks where agreement_no = %(agreement_no)s order by chunk_no

-- name: refused
-- Who said no counts for nobody, whoever lives with them.
select subject_no from consent.grants
where agreement_no = %(agreement_no)s and state in ('refused', 'deferred', 'withdrawn', 'revoked')

-- name: overdue
select subject_no from consent.grants
where agreement_no = %(agreement_no)s and state in ('given', 'renewed') and expires_at <= %(now)s

-- name: any_overdue
select subject_no, agreement_no from consent.grants
where state in ('given', 'renewed') and expires_at <= %(now)s
order by agreement_no, subject_no limit %(limit)s

-- name: valid_of_agreement
select subject_no, state, expires_at from consent.grants
where agreement_no = %(agreement_no)s and state in ('given', 'renewed') order by subject_no limit %(limit)s

-- name: request_grants
insert into consent.grants (subject_no, agreement_no, state, since_at)
select subject_no, %(new_no)s, 'requested', %(at)s from consent.grants
where agreement_no = %(old_no)s and state in ('given', 'renewed')
on conflict do nothing

-- name: carry_grants
insert into consent.grants (subject_no, agreement_no, state, since_at, expires_at)
select subject_no, %(new_no)s, state, since_at, expires_at from consent.grants
where agreement_no = %(old_no)s and state in ('given', 'renewed')
on conflict do nothing

-- name: carry_chunks
insert into consent.granted_chunks (agreement_no, chunk_no, bits)
select %(new_no)s, chunk_no, bits from consent.granted_chunks where agreement_no = %(old_no)s

-- name: clear_chunks
update consent.granted_chunks set bits = decode(repeat('00', 256), 'hex') where agreement_no = %(agreement_no)s

-- name: end_grants
update consent.grants set state = %(state)s, since_at = %(at)s, expires_at = null
where agreement_no = %(agreement_no)s and state in ('given', 'renewed')

-- name: event
select e.*, a.agreement_id, a.document, a.sha256
from consent.grant_events e join consent.agreements a using (agreement_no)
where e.event_id = %(event_id)s

-- name: history
select e.event_id, e.state, e.at, e.expires_at, e.acted_as, e.entry_id, a.agreement_id, a.document,
       n.notice_id, n.queued_at, n.delivered_at, n.acknowledged_at, n.attempts, n.last_error
from consent.grant_events e
join consent.agreements a using (agreement_no)
left join consent.notices n on n.event_id = e.event_id
where e.subject_no = %(subject_no)s and (%(agreement_no)s::int is null or e.agreement_no = %(agreement_no)s)
  and (%(before)s::text is null or e.event_id < %(before)s)
order by e.event_id desc limit %(limit)s

-- name: count_granted
select consent.count_granted(%(agreement_no)s) as n

-- name: insert_notice
insert into consent.notices (notice_id, subject_no, agreement_no, organisation_no, event_id, state, queued_at)
values (%(notice_id)s, %(subject_no)s, %(agreement_no)s, %(organisation_no)s, %(event_id)s, %(state)s, %(at)s)

-- name: notice
select n.*, a.agreement_id, a.document from consent.notices n join consent.agreements a using (agreement_no)
where n.notice_id = %(notice_id)s

-- name: notices
select n.*, a.agreement_id from consent.notices n join consent.agreements a using (agreement_no)
where n.organisation_no = %(organisation_no)s and (%(before)s::text is null or n.notice_id < %(before)s)
  and (not %(open_only)s or n.acknowledged_at is null)
order by n.notice_id desc limit %(limit)s

-- name: note_attempt
update consent.notices set attempts = attempts + 1, last_attempt_at = %(at)s, last_error = %(error)s,
  delivered_at = coalesce(delivered_at, %(delivered_at)s), acknowledged_at = coalesce(acknowledged_at, %(acknowledged_at)s)
where notice_id = %(notice_id)s

-- name: acknowledge
update consent.notices set acknowledged_at = coalesce(acknowledged_at, %(at)s)
where notice_id = %(notice_id)s and organisation_no = %(organisation_no)s
returning notice_id
