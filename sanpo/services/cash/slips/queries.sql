-- name: insert_key
insert into cash.slip_keys (key_id, subject_no, algorithm, public_key, certificate, reserve_yen, left_yen, limit_yen,
  valid_from, valid_until, redeem_until)
values (%(key_id)s, %(subject_no)s, %(algorithm)s, %(public_key)s, %(certificate)s, %(reserve_yen)s, %(reserve_yen)s,
  %(limit_yen)s, %(valid_from)s, %(valid_until)s, %(redeem_until)s)

-- name: key
select * from cash.slip_keys where key_id = %(key_id)s

-- name: lock_key
select * from cash.slip_keys where key_id = %(key_id)s for update

-- name: keys_of
select * from cash.slip_keys where subject_no = %(subject_no)s order by valid_from desc, key_id

-- name: reserved_yen
select coalesce(sum(left_yen), 0)::bigint as yen from cash.slip_keys where subject_no = %(subject_no)s and state <> 'ended'

-- name: spend_reserve
update cash.slip_keys set left_yen = left_yen - %(amount_yen)s, reserve_no = reserve_no + 1 where key_id = %(key_id)s

-- name: suspend_key
-- What suspended it first stays; only a loss goes further, since it ends what was signed before.
update cash.slip_keys set state = 'suspended', cause = %(cause)s, suspended_at = %(at)s
where key_id = %(key_id)s and (state = 'active' or (state = 'suspended' and cause <> 'lost' and %(cause)s = 'lost'))

-- name: suspended_keys
select key_id, suspended_at from cash.slip_keys where state = 'suspended' order by suspended_at, key_id

-- name: due_keys
select key_id, subject_no from cash.slip_keys where state <> 'ended' and redeem_until <= %(at)s order by redeem_until limit 1000

-- name: end_key
update cash.slip_keys set state = 'ended' where key_id = %(key_id)s

-- name: slip
select * from cash.slips where key_id = %(key_id)s and slip_no = %(slip_no)s

-- name: insert_slip
insert into cash.slips (key_id, slip_no, subject_no, shop_no, organisation_no, amount_yen, payment_id, message, signature,
  redeemed_at)
values (%(key_id)s, %(slip_no)s, %(subject_no)s, %(shop_no)s, %(organisation_no)s, %(amount_yen)s, %(payment_id)s,
  %(message)s, %(signature)s, %(at)s)

-- name: insert_offence
insert into cash.slip_offences (offence_id, key_id, slip_no, subject_no, shop_no, organisation_no, kind, amount_yen, message,
  signature, found_at)
values (%(offence_id)s, %(key_id)s, %(slip_no)s, %(subject_no)s, %(shop_no)s, %(organisation_no)s, %(kind)s, %(amount_yen)s,
  %(message)s, %(signature)s, %(at)s)
on conflict (key_id, message) do nothing

-- name: offences
select o.offence_id, o.kind, o.key_id, o.slip_no, o.subject_no, s.shop_id, o.amount_yen, o.message, o.signature, o.found_at,
  k.certificate, p.message as first_message, p.signature as first_signature
from cash.slip_offences o join cash.slip_keys k using (key_id) join cash.shops s on s.shop_no = o.shop_no
left join cash.slips p on o.kind = 'spent_twice' and (p.key_id, p.slip_no) = (o.key_id, o.slip_no)
where o.offence_id < %(before)s order by o.offence_id desc limit %(limit)s
