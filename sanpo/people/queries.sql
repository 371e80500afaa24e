-- name: insert_residents
insert into people.residents (resident_id, language, registered_at)
select given.resident_id, given.language, %(at)s
from unnest(%(resident_ids)s::text[], %(languages)s::text[]) with ordinality as given (resident_id, language, place)
order by given.place
returning subject_no, resident_id

-- name: insert_identities
insert into people.identities (subject_no, name, name_kana, address, area, email, birth_year)
select * from unnest(%(subject_nos)s::int[], %(names)s::text[], %(kanas)s::text[], %(addresses)s::text[],
                     %(areas)s::text[], %(emails)s::text[], %(birth_years)s::int[])

-- name: insert_households
insert into people.households (household_id, area)
select given.household_id, given.area
from unnest(%(household_ids)s::text[], %(areas)s::text[]) with ordinality as given (household_id, area, place)
order by given.place
returning household_no, household_id, area

-- name: insert_members
insert into people.household_members (subject_no, household_no)
select * from unnest(%(subject_nos)s::int[], %(household_nos)s::int[])
on conflict (subject_no) do nothing
returning subject_no

-- name: households
select h.household_no, h.household_id, h.area, array_agg(m.subject_no order by m.subject_no) as subject_nos
from people.households h
join people.household_members m using (household_no)
group by h.household_no
order by h.household_no

-- name: resident
select subject_no, resident_id, language, registered_at from people.residents where resident_id = %(resident_id)s

-- name: set_language
update people.residents set language = %(language)s where subject_no = %(subject_no)s

-- name: identity
select i.name, i.name_kana, i.address, i.area, i.email, i.birth_year, r.language, r.registered_at
from people.identities i join people.residents r using (subject_no)
where subject_no = %(subject_no)s

-- name: name_of_resident
select name from people.identities where subject_no = %(subject_no)s

-- name: area_of_household
select h.area, h.household_id
from people.households h join people.household_members m using (household_no)
where m.subject_no = %(subject_no)s

-- name: overlapping_term
select 1 from people.representatives
where subject_no = %(subject_no)s and representative_subject_no = %(representative_subject_no)s and ended_at is null
  and valid_from < %(until)s and valid_until > %(start)s

-- name: lock_pair
select pg_advisory_xact_lock(%(subject_no)s, %(representative_subject_no)s)

-- name: insert_representation
insert into people.representatives (subject_no, representative_subject_no, role, valid_from, valid_until,
                                    recorded_by, recorded_at)
values (%(subject_no)s, %(representative_subject_no)s, %(role)s, %(start)s, %(until)s, %(by)s, %(at)s)
returning representation_no

-- name: end_representation
update people.representatives set ended_at = %(at)s
where representation_no = %(representation_no)s and ended_at is null and valid_until > %(at)s
returning representation_no

-- name: end_past_representations
update people.representatives set ended_at = valid_until where ended_at is null and valid_until <= %(at)s

-- name: represented
select r.representation_no, r.role, r.valid_until, them.resident_id, i.name
from people.representatives r
join people.residents them on them.subject_no = r.subject_no
join people.identities i on i.subject_no = r.subject_no
where r.representative_subject_no = %(subject_no)s
  and r.valid_from <= %(at)s and r.valid_until > %(at)s and r.ended_at is null
order by r.representation_no

-- name: representatives_of
select r.representation_no, r.role, r.valid_from, r.valid_until, i.name
from people.representatives r
join people.identities i on i.subject_no = r.representative_subject_no
where r.subject_no = %(subject_no)s and r.valid_until > %(at)s and r.ended_at is null
order by r.representation_no

-- name: valid_representation
select r.representation_no
from people.representatives r join people.residents them on them.subject_no = r.subject_no
where r.representative_subject_no = %(me)s and them.resident_id = %(resident_id)s
  and r.valid_from <= %(at)s and r.valid_until > %(at)s and r.ended_at is null
order by r.valid_until desc limit 1

-- name: insert_organisation
insert into people.organisations (organisation_id, name_ja, name_en, kind, contact, webhook_url, registered_at)
values (%(organisation_id)s, %(name_ja)s, %(name_en)s, %(kind)s, %(contact)s, %(webhook_url)s, %(at)s)
returning *

-- name: organisation
select * from people.organisations where organisation_id = %(organisation_id)s

-- name: organisations
select * from people.organisations order by organisation_no

-- name: webhook
select webhook_url from people.organisations where organisation_no = %(organisation_no)s

-- name: set_webhook
update people.organisations set webhook_url = %(webhook_url)s where organisation_no = %(organisation_no)s

-- name: insert_staff
insert into people.staff (staff_id, organisation_no, role, name, email, added_at)
values (%(staff_id)s, %(organisation_no)s, %(role)s, %(name)s, %(email)s, %(at)s)

-- name: end_staff
update people.staff set left_at = %(at)s where staff_id = %(staff_id)s and left_at is null returning staff_id

-- name: staff
select f.staff_id, f.role, f.name, f.email, o.organisation_id, o.name_ja, o.name_en
from people.staff f join people.organisations o using (organisation_no)
where f.staff_id = %(staff_id)s and f.left_at is null

-- name: insert_client
insert into people.clients (client_id, organisation_no, name, secret_hash, created_at)
values (%(client_id)s, %(organisation_no)s, %(name)s, %(secret_hash)s, %(at)s)

-- name: client
select c.client_id, c.organisation_no, o.organisation_id, c.name, c.secret_hash, c.key_set
from people.clients c join people.organisations o using (organisation_no)
where c.client_id = %(client_id)s and c.revoked_at is null

-- name: clients
select client_id, name, created_at, revoked_at, key_set is not null as has_keys, secret_hash is not null as has_secret
from people.clients where organisation_no = %(organisation_no)s order by client_id

-- name: set_client_secret
update people.clients set secret_hash = %(secret_hash)s where client_id = %(client_id)s

-- name: set_client_keys
update people.clients set key_set = %(key_set)s::jsonb where client_id = %(client_id)s

-- name: revoke_client
update people.clients set revoked_at = %(at)s where client_id = %(client_id)s

-- name: revoke_tokens
update people.tokens set revoked_at = %(at)s
where client_id = %(client_id)s and revoked_at is null and expires_at > %(at)s

-- name: insert_token
insert into people.tokens (token_hash, client_id, agreement_id, issued_at, expires_at)
values (%(token_hash)s, %(client_id)s, %(agreement_id)s, %(at)s, %(expires_at)s)

-- name: token_actor
select c.client_id, o.organisation_id, o.organisation_no, t.agreement_id
from people.tokens t
join people.clients c using (client_id)
join people.organisations o using (organisation_no)
where t.token_hash = %(token_hash)s and t.expires_at > %(at)s and t.revoked_at is null and c.revoked_at is null

-- name: use_assertion
insert into people.used_assertions (client_id, jti_hash, forget_at)
values (%(client_id)s, %(jti_hash)s, %(forget_at)s)
on conflict do nothing
returning client_id

-- name: blocked_until
select window_until from people.failed_attempts
where key = %(key)s and failures >= %(most)s and window_until > %(at)s

-- name: count_failure
insert into people.failed_attempts as seen (key, failures, window_until)
values (%(key)s, 1, %(window_until)s)
on conflict (key) do update set
  failures = case when seen.window_until > %(at)s then seen.failures + 1 else 1 end,
  window_until = case when seen.window_until > %(at)s then seen.window_until else excluded.window_until end

-- name: insert_link
insert into people.sign_in_links (token_hash, subject_no, staff_id, made_at, expires_at)
values (%(token_hash)s, %(subject_no)s, %(staff_id)s, %(at)s, %(expires_at)s)

-- name: use_link
update people.sign_in_links set used_at = %(at)s
where token_hash = %(token_hash)s and used_at is null and expires_at > %(at)s
returning subject_no, staff_id

-- name: insert_session
insert into people.sessions (session_id, token_hash, subject_no, staff_id, signed_in_with, created_at, last_seen_at,
                             idle_limit, expires_at)
values (%(session_id)s, %(token_hash)s, %(subject_no)s, %(staff_id)s, %(signed_in_with)s, %(at)s, %(at)s,
        %(idle_limit)s, %(expires_at)s)

-- name: session_actor
select * from people.session_actor(%(token_hash)s, %(at)s)

-- name: touch_session
update people.sessions set last_seen_at = %(at)s
where session_id = %(session_id)s and ended_at is null and last_seen_at < %(at)s

-- name: end_session
update people.sessions set ended_at = %(at)s
where session_id = %(session_id)s and ended_at is null
  and (subject_no = %(subject_no)s or staff_id = %(staff_id)s)
returning session_id

-- name: sign_out
update people.sessions set ended_at = %(at)s where session_id = %(session_id)s and ended_at is null

-- name: switch_session
update people.sessions set token_hash = %(token_hash)s, representation_no = %(representation_no)s
where session_id = %(session_id)s and ended_at is null
returning expires_at

-- name: sessions
select session_id, signed_in_with, created_at, last_seen_at, expires_at
from people.sessions
where (subject_no = %(subject_no)s or staff_id = %(staff_id)s)
  and ended_at is null and expires_at > %(at)s and last_seen_at + idle_limit > %(at)s
order by last_seen_at desc, session_id

-- name: insert_challenge
insert into people.challenges (challenge_hash, subject_no, staff_id, label, expires_at)
values (%(challenge_hash)s, %(subject_no)s, %(staff_id)s, %(label)s, %(expires_at)s)

-- name: use_challenge
delete from people.challenges where challenge_hash = %(challenge_hash)s
returning subject_no, staff_id, label, expires_at > %(at)s as in_time

-- name: insert_passkey
insert into people.passkeys (credential_id, subject_no, staff_id, public_key, sign_count, label, created_at)
values (%(credential_id)s, %(subject_no)s, %(staff_id)s, %(public_key)s, %(sign_count)s, %(label)s, %(at)s)
on conflict (credential_id) do nothing
returning credential_id

-- name: passkey
select p.credential_id, p.subject_no, p.staff_id, p.public_key, p.sign_count,
       coalesce(r.resident_id, f.staff_id) as holder_id
from people.passkeys p
left join people.residents r on r.subject_no = p.subject_no
left join people.staff f on f.staff_id = p.staff_id and f.left_at is null
where p.credential_id = %(credential_id)s

-- name: use_passkey
update people.passkeys set sign_count = %(sign_count)s, last_used_at = %(at)s
where credential_id = %(credential_id)s and (sign_count < %(sign_count)s or (sign_count = 0 and %(sign_count)s = 0))
returning credential_id

-- name: passkeys
select credential_id, label, created_at, last_used_at
from people.passkeys
where subject_no = %(subject_no)s or staff_id = %(staff_id)s
order by created_at, credential_id

-- name: lock_passkeys
select credential_id from people.passkeys
where subject_no = %(subject_no)s or staff_id = %(staff_id)s
order by credential_id
for update

-- name: delete_passkey
delete from people.passkeys where credential_id = %(credential_id)s

-- name: sweep_tokens
delete from people.tokens where expires_at < %(before)s

-- name: sweep_assertions
delete from people.used_assertions where forget_at < %(at)s

-- name: sweep_attempts
delete from people.failed_attempts where window_until < %(at)s

-- name: sweep_challenges
delete from people.challenges where expires_at < %(at)s

-- name: sweep_links
delete from people.sign_in_links where expires_at < %(before)s

-- name: sweep_sessions
delete from people.sessions where expires_at < %(before)s or ended_at < %(before)s
