-- name: append_entry
insert into journal.entries (entry_id, kind, agreement_no, organisation_no, appended_at, body)
values (%(entry_id)s, %(kind)s, %(agreement_no)s, %(organisation_no)s, %(appended_at)s, %(body)s)
returning entry_no

-- name: append_entry_of_one
with entry as (
  insert into journal.entries (entry_id, kind, agreement_no, organisation_no, appended_at, body, person)
  values (%(entry_id)s, %(kind)s, %(agreement_no)s, %(organisation_no)s, %(appended_at)s, %(body)s, %(person)s)
  returning entry_no
), opening as (
  insert into journal.entry_subjects (entry_no, subject_no, salt)
  select entry_no, %(subject_no)s, %(salt)s from entry
)
select entry_no from entry

-- name: append_use
with entry as (
  insert into journal.entries (entry_id, kind, agreement_no, organisation_no, appended_at, body, universe)
  values (%(entry_id)s, %(kind)s, %(agreement_no)s, %(organisation_no)s, %(appended_at)s, %(body)s, %(universe)s)
  returning entry_no
), sealed as (
  insert into journal.use_subjects (entry_no, use_key, bits, universe, subject_count)
  select entry_no, %(use_key)s, %(bits)s, %(universe)s, %(subject_count)s from entry
)
select entry_no from entry

-- name: gather
insert into journal.gathered (kind, agreement_no, organisation_no, appended_at, body, counts, subject_nos, universe)
values (%(kind)s, %(agreement_no)s, %(organisation_no)s, %(appended_at)s, %(body)s, %(counts)s::text::jsonb,
        %(subject_nos)s::int[], %(universe)s)

-- name: take_gathered
delete from journal.gathered
where gathered_no in (select gathered_no from journal.gathered order by gathered_no limit %(limit)s)
returning gathered_no, kind, agreement_no, organisation_no, appended_at, body, counts, subject_nos, universe

-- name: lead
select pg_try_advisory_xact_lock(hashtext('journal.sequence')) as leads

-- name: latest_checkpoint
select size, root, note, signed_at from journal.checkpoints order by size desc limit 1

-- name: entries_not_in_tree
-- In order, as many as hold no more than `slots` slots of sealed sets; at least one, however large its set.
select entry_no, entry_id, kind, appended_at, body, person, universe
from (
  select *, row_number() over by_no as place, sum(coalesce(universe, 0)) over by_no as slots_so_far
  from (select * from journal.entries where leaf_index is null order by entry_no limit %(entries)s) waiting
  window by_no as (order by entry_no)
) counted
where place = 1 or slots_so_far <= %(slots)s
order by entry_no

-- name: sealed_set
select use_key, bits, block_roots from journal.use_subjects where entry_no = %(entry_no)s

-- name: store_block_roots
update journal.use_subjects set block_roots = %(block_roots)s where entry_no = %(entry_no)s

-- name: put_in_tree
update journal.entries e set leaf_index = placed.leaf_index, subjects_root = placed.subjects_root
from unnest(%(entry_nos)s::bigint[], %(leaf_indexes)s::bigint[], %(subjects_roots)s::bytea[])
  as placed (entry_no, leaf_index, subjects_root)
where e.entry_no = placed.entry_no

-- name: find_tiles
select level, index, hashes
from unnest(%(levels)s::smallint[], %(indexes)s::bigint[]) as wanted (level, index) join journal.tiles using (level, index)

-- name: store_tiles
insert into journal.tiles (level, index, hashes)
select * from unnest(%(levels)s::smallint[], %(indexes)s::bigint[], %(hashes)s::bytea[])
on conflict (level, index) do update set hashes = excluded.hashes

-- name: store_checkpoint
insert into journal.checkpoints (size, root, note, signed_at) values (%(size)s, %(root)s, %(note)s, %(signed_at)s)

-- name: find_entry
-- The opening joins only where row-level security shows it: to the resident whose it is.
select e.entry_no, e.entry_id, e.kind, e.appended_at, e.body, e.person, e.universe, e.subjects_root, e.leaf_index,
  o.subject_no, o.salt
from journal.entries e left join journal.entry_subjects o using (entry_no)
where e.entry_id = %(entry_id)s

-- name: sealed_block
select use_key, substring(bits from %(first_byte)s for %(bytes)s) as bits, block_roots
from journal.use_subjects where entry_no = %(entry_no)s

-- name: list_uses
select e.entry_no, e.entry_id, e.kind, e.agreement_no, e.organisation_no, e.appended_at, e.body, e.leaf_index, me.included
from journal.entries e cross join lateral (select journal.was_included(e.entry_no) as included) me
where e.universe is not null
  and (%(agreement_nos)s::int[] is null or e.agreement_no = any (%(agreement_nos)s))
  and e.entry_no < coalesce(%(before)s, 9223372036854775807)
  and (me.included or %(include_out)s)
order by e.entry_no desc limit %(limit)s

-- name: list_entries
select entry_no, entry_id, kind, agreement_no, organisation_no, appended_at, body, leaf_index, null::boolean as included
from journal.entries
where entry_no < coalesce(%(before)s, 9223372036854775807)
order by entry_no desc limit %(limit)s

-- name: leaves_from
select entry_no, entry_id, kind, appended_at, body, person, universe, subjects_root, leaf_index
from journal.entries where leaf_index >= %(first)s and leaf_index < %(first)s + %(count)s
order by leaf_index

-- name: checkpoints_from
select size, root, note, signed_at from journal.checkpoints where size > %(after)s order by size limit %(limit)s

-- name: count_not_in_tree
select count(*) as waiting from journal.entries where leaf_index is null
