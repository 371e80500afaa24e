-- name: insert_residents
insert into people.residents (resident_id, language, registered_at)
select given.resident_id, given.language, %(at)s
from unnest(%(resident_ids)s::text[], %(languages)s::text[]) with ordinality as given (resident_id, language, place)
order by given.place
returning subject_no, resident_id

-- name: insert_identities
insert into people.identities (subject_no, name, name_kana, address, area, email, birth_year, reference)
select * from unnest(%(subject_nos)s::int[], %(names)s::text[], %(kanas)s::text[], %(addresses)s::text[],
                     %(areas)s::text[], %(emails)s::text[], %(birth_years)s::int[], %(references)s::text[])
on conflict do nothing

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

-- name: lock_register
select pg_advisory_xact_lock(hashtext('people.register'))

-- name: register
select i.subject_no, r.resident_id, i.name, i.name_kana, i.address, i.area, i.email, i.birth_year, r.language,
       i.reference, m.household_no, m.reference as household, i.vanished_at is not null as vanished
from people.identities i
join people.residents r using (subject_no)
left join people.household_members m using (subject_no)
order by i.subject_no

-- name: amend_identities
update people.identities i set
  name = given.name, name_kana = given.name_kana, address = given.address, area = given.area, email = given.email,
  birth_year = given.birth_year, reference = given.reference
from unnest(%(subject_nos)s::int[], %(names)s::text[], %(kanas)s::text[], %(addresses)s::text[], %(areas)s::text[],
            %(emails)s::text[], %(birth_years)s::int[], %(references)s::text[])
  as given (subject_no, name, name_kana, address, area, email, birth_year, reference)
where i.subject_no = given.subject_no

-- name: set_household_areas
update people.households h set area = given.area
from unnest(%(household_nos)s::int[], %(areas)s::text[]) as given (household_no, area)
where h.household_no = given.household_no and h.area <> given.area

-- name: settle_members
insert into people.household_members (subject_no, household_no, reference)
select * from unnest(%(subject_nos)s::int[], %(household_nos)s::int[], %(references)s::text[])
on conflict (subject_no) do update set household_no = excluded.household_no, reference = excluded.reference

-- name: mark_vanished
update people.identities set vanished_at = %(at)s
where subject_no = any(%(subject_nos)s::int[]) and vanished_at is null

-- name: unmark_vanished
update people.identities set vanished_at = null where subject_no = any(%(subject_nos)s::int[])

-- name: resident_by_reference
select r.resident_id from people.identities i join people.residents r using (subject_no)
where i.reference = %(reference)s

-- name: references
select subject_no, reference, area, vanished_at from people.identities where subject_no = any(%(subject_nos)s::int[])

-- name: subjects_named
select i.subject_no, r.resident_id, i.reference from people.identities i join people.residents r using (subject_no)
where i.subject_no in (
  select subject_no from people.residents where resident_id = any(%(named)s::text[])
  union all select subject_no from people.identities where reference = any(%(named)s::text[])
) order by i.subject_no

-- name: subjects_by_area
select subject_no from people.identities
where vanished_at is null and (%(area)s::text is null or area = %(area)s) order by subject_no

-- name: page_of_residents
select r.subject_no, r.resident_id, r.registered_at,
       (select count(*) from people.passkeys p where p.subject_no = r.subject_no) as passkeys,
       (select max(l.expires_at) from people.sign_in_links l
        where l.subject_no = r.subject_no and l.invited and l.used_at is null and l.expires_at > %(at)s) as invited_until
from people.residents r
where r.subject_no > %(after)s
  and not (%(without_passkey)s and exists (select from people.passkeys p where p.subject_no = r.subject_no))
order by r.subject_no
limit %(limit)s

-- name: residents_to_invite
select r.subject_no, null::text as staff_id, r.resident_id as holder_id, r.language, '' as name, '' as email,
       exists (select from people.sign_in_links l where l.subject_no = r.subject_no and l.invited and l.used_at is null
               and l.expires_at > %(at)s) as invited
from people.residents r
where not exists (select from people.passkeys p where p.subject_no = r.subject_no)
order by r.subject_no

-- name: staff_to_invite
select null::int as subject_no, f.staff_id, f.staff_id as holder_id, 'ja' as language, f.name, f.email,
       exists (select from people.sign_in_links l where l.staff_id = f.staff_id and l.invited and l.used_at is null
               and l.expires_at > %(at)s) as invited
from people.staff f
where f.left_at is null and not exists (select from people.passkeys p where p.staff_id = f.staff_id)
order by f.staff_id

-- name: named_to_invite
select r.subject_no, null::text as staff_id, r.resident_id as holder_id, r.language, '' as name, '' as email
from people.residents r where r.resident_id = any(%(holder_ids)s::text[])
union all
select null, f.staff_id, f.staff_id, 'ja', f.name, f.email
from people.staff f where f.staff_id = any(%(holder_ids)s::text[]) and f.left_at is null
order by holder_id

-- name: letter_addresses
select subject_no, name, address, vanished_at is not null as vanished
from people.identities where subject_no = any(%(subject_nos)s::int[])

-- name: set_language
update people.residents set language = %(language)s where subject_no = %(subject_no)s

-- name: identity
select i.name, i.name_kana, i.address, i.area, i.email, i.birth_year, r.language, r.registered_at, i.reference,
       i.vanished_at
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

-- name: representations
select r.representation_no, them.resident_id, me.resident_id as representative_resident_id, r.role, r.valid_from,
       r.valid_until, r.ended_at
from people.representatives r
join people.residents them on them.subject_no = r.subject_no
join people.residents me on me.subject_no = r.representative_subject_no
where %(resident_id)s::text is null or %(resident_id)s::text in (them.resident_id, me.resident_id)
order by r.representation_no

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

-- name: amend_organisation
update people.organisations set name_ja = %(name_ja)s, name_en = %(name_en)s, contact = %(contact)s,
                                webhook_url = %(webhook_url)s
where organisation_no = %(organisation_no)s

-- name: set_webhook
update people.organisations set webhook_url = %(webhook_url)s where organisation_no = %(organisation_no)s

-- name: insert_staff
insert into people.staff (staff_id, organisation_no, role, name, email, added_at)
values (%(staff_id)s, %(organisation_no)s, %(role)s, %(name)s, %(email)s, %(at)s)

-- name: end_staff
update people.staff set left_at = %(at)s where staff_id = %(staff_id)s and left_at is null returning staff_id

-- name: reinstate_staff
update people.staff set left_at = null where staff_id = %(staff_id)s and left_at is not null returning staff_id

-- name: staff_of_organisation
select staff_id, role, name, email, added_at, left_at
from people.staff where organisation_no = %(organisation_no)s order by staff_id

-- name: staff
select f.staff_id, f.role, f.name, f.email, o.organisation_id, o.name_ja, o.name_en
from people.staff f join people.organisations o using (organisation_no)
where f.staff_id = %(staff_id)s and f.left_at is null

-- name: insert_client
insert into people.clients (client_id, organisation_no, name, secret_hash, key_set, created_at)
values (%(client_id)s, %(organisation_no)s, %(name)s, %(secret_hash)s, %(key_set)s::jsonb, %(at)s)

-- name: client
select c.client_id, c.organisation_no, o.organisation_id, c.name, c.secret_hash, c.key_set
from people.clients c join people.organisations o using (organisation_no)
where c.client_id = %(client_id)s and c.revoked_at is null

-- name: revoked_client
select client_id from people.clients where client_id = %(client_id)s and revoked_at is not null

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

-- name: lock_invitations
select pg_advisory_xact_lock(hashtext('people.invitations'))

-- name: insert_invitations
insert into people.sign_in_links (token_hash, subject_no, staff_id, made_at, expires_at, invited)
select token_hash, subject_no, staff_id, %(at)s, %(expires_at)s, true
from unnest(%(token_hashes)s::bytea[], %(subject_nos)s::int[], %(staff_ids)s::text[])
  as given (token_hash, subject_no, staff_id)

-- name: cancel_links
delete from people.sign_in_links
where used_at is null and expires_at > %(at)s
  and (subject_no = any(%(subject_nos)s::int[]) or staff_id = any(%(staff_ids)s::text[]))

-- name: cancel_all_invitations
delete from people.sign_in_links where used_at is null and invited and expires_at > %(at)s

-- name: use_link
update people.sign_in_links l set used_at = %(at)s
where token_hash = %(token_hash)s and used_at is null and expires_at > %(at)s and (invited or %(demo)s)
returning subject_no, staff_id,
  exists (select from people.passkeys p where p.subject_no = l.subject_no or p.staff_id = l.staff_id) as has_passkey

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

-- name: end_sessions
update people.sessions set ended_at = %(at)s
where ended_at is null and (subject_no = %(subject_no)s or staff_id = %(staff_id)s)

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

-- name: delete_passkeys
delete from people.passkeys
where (subject_no = %(subject_no)s or staff_id = %(staff_id)s)
  and (%(all)s or credential_id = any(%(credential_ids)s::bytea[]))

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

-- name: members_with
select subject_no from people.members_with(%(bits)s)
