-- name: request
select request_id, subject_no, note,
  (select array_agg(amount_yen order by share_no) from cash.shares s where s.request_id = r.request_id) as amounts_yen
from cash.requests r where request_id = %(request_id)s

-- name: insert_request
with request as (
  insert into cash.requests (request_id, subject_no, note, asked_at, expires_at)
  values (%(request_id)s, %(subject_no)s, %(note)s, %(at)s, %(expires_at)s)
)
insert into cash.shares (request_id, share_no, subject_no, amount_yen, code_sha256)
select %(request_id)s, s.share_no, %(subject_no)s, s.amount_yen, s.code_sha256
from unnest(%(share_nos)s::smallint[], %(amounts_yen)s::bigint[], %(codes)s::bytea[]) as s (share_no, amount_yen, code_sha256)

-- name: requests_of
select r.request_id, r.note, r.asked_at, r.expires_at, s.share_no, s.amount_yen, s.state, s.answered_at
from cash.shares s join (
  select * from cash.requests where subject_no = %(subject_no)s order by asked_at desc, request_id desc limit %(limit)s
) r using (request_id)
order by r.asked_at desc, r.request_id desc, s.share_no

-- name: given_by
select s.request_id, s.amount_yen, r.note, s.answered_at as paid_at
from cash.shares s join cash.requests r using (request_id)
where s.payer_no = %(subject_no)s and s.state = 'paid' order by s.answered_at desc, s.request_id desc limit %(limit)s

-- name: share
select s.*, r.note, r.expires_at from cash.shares s join cash.requests r using (request_id)
where s.code_sha256 = %(code_sha256)s

-- name: lock_share
select * from cash.shares where code_sha256 = %(code_sha256)s for update

-- name: answer_share
update cash.shares set state = %(state)s, payer_no = %(payer_no)s, answered_at = %(at)s where code_sha256 = %(code_sha256)s

-- name: lock_shares
select state from cash.shares where request_id = %(request_id)s and subject_no = %(subject_no)s order by share_no for update

-- name: withdraw_shares
update cash.shares set state = 'withdrawn', answered_at = %(at)s where request_id = %(request_id)s and state = 'open'
