create table consent.agreements (
  agreement_no int generated always as identity primary key,
  agreement_id text not null unique check (agreement_id like 'agr\_%'),
  organisation_no int not null,
  sha256 text not null unique check (length(sha256) = 64),
  document bytea not null,
  service text,
  replaces_no int references consent.agreements,
  state text not null check (state in ('proposed', 'approved', 'rejected', 'closed')),
  first_day date not null,
  last_day date not null,
  published_at timestamptz not null,
  decided_at timestamptz,
  decided_by text,
  decision_note text not null default ''
);
create index on consent.agreements (organisation_no);

-- The document is what residents agree to: nothing may change it, not even the application.
create function consent.keep_document() returns trigger language plpgsql as $$
begin
  if (new.agreement_no, new.agreement_id, new.organisation_no, new.sha256, new.document, new.replaces_no, new.published_at)
     is distinct from
     (old.agreement_no, old.agreement_id, old.organisation_no, old.sha256, old.document, old.replaces_no, old.published_at)
  then raise exception 'an agreement is immutable'; end if;
  return new;
end $$;
create trigger keep_document before update on consent.agreements for each row execute function consent.keep_document();
create function consent.keep_agreement() returns trigger language plpgsql as $$
begin raise exception 'an agreement is never deleted'; end $$;
create trigger keep_agreement before delete on consent.agreements for each row execute function consent.keep_agreement();

create table consent.grants (
  subject_no int not null,
  agreement_no int not null references consent.agreements,
  state text not null check (state in ('requested', 'deferred', 'refused', 'given', 'renewed', 'withdrawn', 'revoked',
                                       'expired', 'invalidated')),
  since_at timestamptz not null,
  expires_at timestamptz,
  primary key (subject_no, agreement_no)
) with (fillfactor = 70);
create index grants_valid on consent.grants (agreement_no, expires_at) where state in ('given', 'renewed');

create table consent.grant_events (
  event_id text primary key check (event_id like 'evt\_%'),
  subject_no int not null,
  agreement_no int not null references consent.agreements,
  state text not null,
  at timestamptz not null,
  expires_at timestamptz,
  acted_by text not null,
  acted_as text not null,
  language text not null,
  record bytea not null,
  signature bytea not null,
  entry_id text not null
);
create index on consent.grant_events (subject_no, event_id);

-- One bit per subject, 2,048 to a row: a grant touches one small row, so that grants do not queue behind each other.
create table consent.granted_chunks (
  agreement_no int not null references consent.agreements,
  chunk_no int not null,
  bits bytea not null check (length(bits) = 256),
  primary key (agreement_no, chunk_no)
) with (fillfactor = 50);

create table consent.notices (
  notice_id text primary key check (notice_id like 'ntc\_%'),
  subject_no int not null,
  agreement_no int not null references consent.agreements,
  organisation_no int not null,
  event_id text not null,
  state text not null,
  queued_at timestamptz not null,
  attempts int not null default 0,
  last_attempt_at timestamptz,
  last_error text,
  delivered_at timestamptz,
  acknowledged_at timestamptz
);
create index on consent.notices (subject_no, notice_id);
create index on consent.notices (organisation_no, notice_id);

-- The second wall. A grant is seen by its resident, by the city's jobs, and under an admission to its agreement.
alter table consent.grants enable row level security;
alter table consent.grants force row level security;
create policy own on consent.grants using (subject_no = (select ground.actor_subject()));
create policy duty on consent.grants using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer', 'simulator'));
create policy admitted on consent.grants for select using (agreement_no = (select ground.actor_agreement()));

alter table consent.grant_events enable row level security;
alter table consent.grant_events force row level security;
create policy own on consent.grant_events using (subject_no = (select ground.actor_subject()));
create policy duty on consent.grant_events using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer', 'simulator'));

alter table consent.granted_chunks enable row level security;
alter table consent.granted_chunks force row level security;
create policy admitted on consent.granted_chunks for select using (agreement_no = (select ground.actor_agreement()));
create policy duty on consent.granted_chunks using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer', 'simulator'));

alter table consent.notices enable row level security;
alter table consent.notices force row level security;
create policy own on consent.notices using (subject_no = (select ground.actor_subject()));
create policy recipient on consent.notices using (organisation_no = (select ground.actor_organisation()));
create policy duty on consent.notices using ((select ground.actor_duty()) in ('jobs', 'operator', 'officer'));

-- The owner's functions below must see through the walls that bind the application.
create policy owner on consent.grants to sanpo_owner using (true) with check (true);
create policy owner on consent.granted_chunks to sanpo_owner using (true) with check (true);

-- Flips a resident's bit. Only that resident's own transaction, or a duty of the city, may.
create function consent.flip(agreement int, subject int, granted boolean) returns void
language plpgsql security definer set search_path = consent, pg_temp as $$
declare
  empty constant bytea := decode(repeat('00', 256), 'hex');
begin
  if ground.actor_subject() is distinct from subject
     and ground.actor_duty() not in ('jobs', 'operator', 'officer', 'simulator') is not false
  then raise exception 'only the resident may flip this bit' using errcode = 'insufficient_privilege'; end if;
  insert into granted_chunks as c (agreement_no, chunk_no, bits)
  values (agreement, subject / 2048, set_bit(empty, subject % 2048, granted::int))
  on conflict (agreement_no, chunk_no) do update set bits = set_bit(c.bits, subject % 2048, granted::int);
end $$;

-- How many have granted: a public number of each agreement, without who.
create function consent.count_granted(agreement int) returns bigint
language sql stable security definer set search_path = consent, pg_temp as $$
  select coalesce(sum(bit_count(bits)), 0)::bigint from granted_chunks where agreement_no = agreement
$$;
