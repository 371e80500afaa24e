-- Duties that write the register of residents: the operator's command line and the simulator.
create function people.keeps_register() returns boolean language sql stable parallel safe
  return ground.actor_duty() in ('operator', 'simulator');

create table people.residents (
  subject_no int generated always as identity primary key,
  resident_id text not null unique check (resident_id like 'res\_%'),
  language text not null check (language in ('ja', 'en')),
  registered_at timestamptz not null
);

-- Who a resident is. No other table of the house has a name or an address of a resident.
create table people.identities (
  subject_no int primary key references people.residents,
  name text not null,
  name_kana text not null,
  address text not null,
  area text not null,
  email text,
  birth_year int
);

create table people.households (
  household_no int generated always as identity primary key,
  household_id text not null unique check (household_id like 'hhd\_%'),
  area text not null
);

create table people.household_members (
  subject_no int primary key references people.residents,
  household_no int not null references people.households
);
create index on people.household_members (household_no);

create table people.representatives (
  representation_no int generated always as identity primary key,
  subject_no int not null references people.residents,
  representative_subject_no int not null references people.residents,
  role text not null check (role in ('parent', 'carer')),
  valid_from timestamptz not null,
  valid_until timestamptz not null check (valid_until > valid_from),
  ended_at timestamptz,
  recorded_by text not null,
  recorded_at timestamptz not null,
  check (subject_no <> representative_subject_no)
);
create index on people.representatives (subject_no);
create index on people.representatives (representative_subject_no);

create table people.organisations (
  organisation_no int generated always as identity primary key,
  organisation_id text not null unique check (organisation_id like 'org\_%'),
  name_ja text not null,
  name_en text not null,
  kind text not null check (kind in ('city', 'university', 'company')),
  contact text not null,
  webhook_url text,
  registered_at timestamptz not null
);

create table people.staff (
  staff_id text primary key check (staff_id like 'stf\_%'),
  organisation_no int not null references people.organisations,
  role text not null check (role in ('officer', 'analyst')),
  name text not null,
  email text,
  added_at timestamptz not null,
  left_at timestamptz
);
create index on people.staff (organisation_no);

create table people.clients (
  client_id text primary key check (client_id like 'cli\_%'),
  organisation_no int not null references people.organisations,
  name text not null,
  secret_hash bytea check (length(secret_hash) = 32),
  key_set jsonb,
  created_at timestamptz not null,
  revoked_at timestamptz
);
create index on people.clients (organisation_no);

create table people.tokens (
  token_hash bytea primary key check (length(token_hash) = 32),
  client_id text not null references people.clients,
  agreement_id text,
  issued_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz
);
create index on people.tokens (expires_at);

-- Assertions that were used, until they would have expired anyway (RFC 7523 §3, item 7).
create table people.used_assertions (
  client_id text not null references people.clients,
  jti_hash bytea not null,
  forget_at timestamptz not null,
  primary key (client_id, jti_hash)
);
create index on people.used_assertions (forget_at);

-- Failures of one client or passkey within the present window.
create table people.failed_attempts (
  key text primary key,
  failures int not null,
  window_until timestamptz not null
);
create index on people.failed_attempts (window_until);

create table people.passkeys (
  credential_id bytea primary key,
  subject_no int references people.residents,
  staff_id text references people.staff,
  public_key bytea not null,
  sign_count bigint not null,
  label text not null,
  created_at timestamptz not null,
  last_used_at timestamptz,
  check (num_nonnulls(subject_no, staff_id) = 1)
);
create index on people.passkeys (subject_no);
create index on people.passkeys (staff_id);

-- A challenge serves once; what is asked for a new passkey names its holder and label.
create table people.challenges (
  challenge_hash bytea primary key,
  subject_no int references people.residents,
  staff_id text references people.staff,
  label text,
  expires_at timestamptz not null
);
create index on people.challenges (expires_at);

create table people.sign_in_links (
  token_hash bytea primary key,
  subject_no int references people.residents,
  staff_id text references people.staff,
  made_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz,
  check (num_nonnulls(subject_no, staff_id) = 1)
);
create index on people.sign_in_links (expires_at);

create table people.sessions (
  session_id text primary key check (session_id like 'ses\_%'),
  token_hash bytea not null unique,
  subject_no int references people.residents,
  staff_id text references people.staff,
  representation_no int references people.representatives,
  signed_in_with text not null check (signed_in_with in ('passkey', 'link')),
  created_at timestamptz not null,
  last_seen_at timestamptz not null,
  idle_limit interval not null,
  expires_at timestamptz not null,
  ended_at timestamptz,
  check (num_nonnulls(subject_no, staff_id) = 1),
  check (representation_no is null or subject_no is not null)
) with (fillfactor = 80);
create index on people.sessions (subject_no) where ended_at is null;
create index on people.sessions (staff_id) where ended_at is null;
create index on people.sessions (expires_at);

-- The second wall. Without an actor no row of these tables is seen or written.
alter table people.residents enable row level security;
alter table people.residents force row level security;
create policy own on people.residents for select using (subject_no = ground.actor_subject());
create policy own_language on people.residents for update
  using (subject_no = ground.actor_subject()) with check (subject_no = ground.actor_subject());
create policy lookup on people.residents for select using (ground.actor_duty() in ('sign_in', 'officer'));
create policy register on people.residents using (people.keeps_register()) with check (people.keeps_register());

create policy relation on people.residents for select using (exists (
  select from people.representatives r
  where r.ended_at is null and r.subject_no = residents.subject_no
    and r.representative_subject_no = ground.actor_subject()));

alter table people.representatives enable row level security;
alter table people.representatives force row level security;
create policy own on people.representatives for select
  using (ground.actor_subject() in (subject_no, representative_subject_no));
create policy lookup on people.representatives for select using (ground.actor_duty() = 'sign_in');
create policy appoint on people.representatives
  using (ground.actor_duty() = 'officer' or people.keeps_register())
  with check (ground.actor_duty() = 'officer' or people.keeps_register());
create policy sweep_read on people.representatives for select using (ground.actor_duty() = 'jobs');
create policy sweep_end on people.representatives for update using (ground.actor_duty() = 'jobs');

-- Identity: the person, and the two sides of a representation that has not ended (the queries read names only).
-- The register may write but not read it; an officer may neither.
alter table people.identities enable row level security;
alter table people.identities force row level security;
create policy own on people.identities for select using (subject_no = ground.actor_subject());
create policy relation on people.identities for select using (exists (
  select from people.representatives r
  where r.ended_at is null
    and ((r.subject_no = identities.subject_no and r.representative_subject_no = ground.actor_subject())
      or (r.representative_subject_no = identities.subject_no and r.subject_no = ground.actor_subject()))));
create policy register on people.identities for insert with check (people.keeps_register());

alter table people.household_members enable row level security;
alter table people.household_members force row level security;
create policy own on people.household_members for select using (subject_no = ground.actor_subject());
create policy register on people.household_members using (people.keeps_register()) with check (people.keeps_register());
create policy services on people.household_members for select using (ground.actor_duty() = 'jobs');

alter table people.staff enable row level security;
alter table people.staff force row level security;
create policy colleagues on people.staff for select using (organisation_no = ground.actor_organisation());
create policy lookup on people.staff for select using (ground.actor_duty() = 'sign_in');
create policy register on people.staff
  using (ground.actor_duty() = 'officer' or people.keeps_register())
  with check (ground.actor_duty() = 'officer' or people.keeps_register());

-- Credentials are open to the duty of signing in alone, so that no query made for a person can reach another's.
alter table people.passkeys enable row level security;
alter table people.passkeys force row level security;
create policy sign_in on people.passkeys using (ground.actor_duty() = 'sign_in');

alter table people.challenges enable row level security;
alter table people.challenges force row level security;
create policy sign_in on people.challenges using (ground.actor_duty() = 'sign_in');

alter table people.sign_in_links enable row level security;
alter table people.sign_in_links force row level security;
create policy sign_in on people.sign_in_links using (ground.actor_duty() = 'sign_in');

alter table people.sessions enable row level security;
alter table people.sessions force row level security;
create policy sign_in on people.sessions using (ground.actor_duty() = 'sign_in');

-- The owner's policies serve the function below; nobody logs in as the owner.
create policy owner on people.sessions to current_user using (true);
create policy owner on people.residents to current_user using (true);
create policy owner on people.representatives to current_user using (true);
create policy owner on people.staff to current_user using (true);

-- Whose session this is, in one statement without a transaction around it: the way of every request. Each branch
-- reads only what it needs, because starting the executor over all tables costs more than the lookups.
-- It runs as its owner: a function of a role that is no superuser may not carry a setting of its own.
-- A session whose representation is over is over with it: what was written for one person must not act on another.
create function people.session_actor(hash bytea, at timestamptz)
returns table (session_id text, seen_at timestamptz, staff_id text, role text, organisation_id text,
               organisation_no int, resident_id text, subject_no int, acting_resident_id text, acting_as text)
language plpgsql stable security definer set search_path = people, pg_temp as $$
#variable_conflict use_column
declare
  found_session people.sessions;
begin
  select * into found_session from people.sessions s
  where s.token_hash = hash and s.ended_at is null and s.expires_at > at and s.last_seen_at + s.idle_limit > at;
  if found_session.staff_id is not null then
    return query
      select found_session.session_id, found_session.last_seen_at, f.staff_id, f.role, o.organisation_id,
             o.organisation_no, null::text, null::int, null::text, null::text
      from people.staff f join people.organisations o using (organisation_no)
      where f.staff_id = found_session.staff_id and f.left_at is null;
  elsif found_session.representation_no is not null then
    return query
      select found_session.session_id, found_session.last_seen_at, null::text, null::text, null::text, null::int,
             them.resident_id, them.subject_no, me.resident_id, r.role
      from people.representatives r
      join people.residents them on them.subject_no = r.subject_no
      join people.residents me on me.subject_no = r.representative_subject_no
      where r.representation_no = found_session.representation_no
        and r.valid_from <= at and r.valid_until > at and r.ended_at is null;
  else
    return query
      select found_session.session_id, found_session.last_seen_at, null::text, null::text, null::text, null::int,
             me.resident_id, me.subject_no, me.resident_id, 'self'
      from people.residents me where me.subject_no = found_session.subject_no;
  end if;
end $$;
