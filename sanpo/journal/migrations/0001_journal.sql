-- The verifiable log. Entries, checkpoints and tiles are public and only ever grow; triggers hold that against every
-- role. Who an entry is about lies apart, in two personal tables behind row-level security.

create function journal.refuse_change() returns trigger language plpgsql set search_path = pg_catalog as $$
begin
  raise exception 'the journal only grows: % on %.% is refused', tg_op, tg_table_schema, tg_table_name
    using errcode = 'integrity_constraint_violation';
end $$;

-- One row per entry, in the transaction of the work that it records. The sequencer alone fills the last two columns, once.
-- A check constraint costs every append about 4 µs, so there is one here, and the trigger looks at what only it can change.
create table journal.entries (
  entry_no bigint generated always as identity primary key,
  entry_id text not null unique,
  kind text not null,
  agreement_no int,
  organisation_no int,
  appended_at timestamptz not null,
  body bytea not null,
  person bytea,
  universe int,
  leaf_index bigint,
  subjects_root bytea,
  constraint entries_fit check (octet_length(body) <= 60000 and (person is null or universe is null))
);
create index entries_not_in_tree on journal.entries (entry_no) where leaf_index is null;
create unique index entries_in_tree on journal.entries (leaf_index) where leaf_index is not null;
create index entries_uses on journal.entries (entry_no) where universe is not null;
create index entries_uses_of_agreement on journal.entries (agreement_no, entry_no) where universe is not null;

create trigger entries_are_never_rewritten before update on journal.entries for each row
  when (old.leaf_index is not null or (new.leaf_index >= 0) is not true
    or (new.subjects_root is null) <> (new.universe is null)
    or (old.entry_no, old.entry_id, old.kind, old.agreement_no, old.organisation_no, old.appended_at, old.body, old.person, old.universe)
      is distinct from
      (new.entry_no, new.entry_id, new.kind, new.agreement_no, new.organisation_no, new.appended_at, new.body, new.person, new.universe))
  execute function journal.refuse_change();
create trigger entries_are_never_deleted before delete on journal.entries for each row execute function journal.refuse_change();

-- Whom an entry about one person is about, and the salt that opens its public commitment. Erasing the row leaves a
-- commitment that nobody can open any more.
create table journal.entry_subjects (
  entry_no bigint primary key references journal.entries,
  subject_no int not null,
  salt bytea not null check (octet_length(salt) = 16)
);
create index entry_subjects_subject on journal.entry_subjects (subject_no, entry_no);

-- Whom a use was about: the bitmap, the key of its salts, and, once sequenced, the roots of its blocks.
create table journal.use_subjects (
  entry_no bigint primary key references journal.entries,
  use_key bytea not null check (octet_length(use_key) = 32),
  bits bytea not null,
  universe int not null check (octet_length(bits) * 8 = universe and universe > 0 and universe % 1024 = 0),
  subject_count int not null,
  block_roots bytea
);
-- One resident's bit is read as a slice, which compression would prevent.
alter table journal.use_subjects alter column bits set storage external, alter column block_roots set storage external;

create table journal.tiles (
  level smallint not null check (level between 0 and 63),
  index bigint not null check (index >= 0),
  hashes bytea not null check (octet_length(hashes) between 32 and 8192 and octet_length(hashes) % 32 = 0),
  primary key (level, index)
);
alter table journal.tiles alter column hashes set storage external;
create trigger tiles_only_grow before update on journal.tiles for each row
  when ((old.level, old.index, old.hashes) is distinct from
    (new.level, new.index, substring(new.hashes for octet_length(old.hashes))))
  execute function journal.refuse_change();
create trigger tiles_are_never_deleted before delete on journal.tiles for each row execute function journal.refuse_change();

create table journal.checkpoints (
  size bigint primary key check (size > 0),
  root bytea not null check (octet_length(root) = 32),
  note text not null,
  signed_at timestamptz not null
);
create trigger checkpoints_are_never_changed before update or delete on journal.checkpoints for each row
  execute function journal.refuse_change();

-- The owner's policies serve the function below; nobody logs in as the owner.
alter table journal.entry_subjects enable row level security, force row level security;
create policy owner on journal.entry_subjects to current_user using (true);
create policy append on journal.entry_subjects for insert to public with check (true);
create policy own on journal.entry_subjects for select to public using (subject_no = ground.actor_subject());
create policy duty on journal.entry_subjects to public using (ground.actor_duty() = 'journal');

alter table journal.use_subjects enable row level security, force row level security;
create policy owner on journal.use_subjects to current_user using (true);
create policy append on journal.use_subjects for insert to public with check (true);
create policy duty on journal.use_subjects to public using (ground.actor_duty() = 'journal');

-- Whether the resident who asks was in a use; false for a use from before their time, null where nobody asks or it is no use.
create function journal.was_included(entry bigint) returns boolean
  language sql stable security definer set search_path = pg_catalog
  as $$
    select case
      when me.subject_no < s.universe
        then get_bit(substring(s.bits from me.subject_no / 8 + 1 for 1), me.subject_no % 8) = 1
      when me.subject_no >= s.universe then false
    end
    from journal.use_subjects s cross join (select ground.actor_subject() as subject_no) me
    where s.entry_no = entry
  $$;
