-- name: remember_sets
insert into cleanroom.remembered_sets (set_sha256, subject_count, bits)
select * from unnest(%(hashes)s::bytea[], %(counts)s::int[], %(bits)s::bytea[])
on conflict do nothing

-- name: remember_answer
insert into cleanroom.remembered_answers (entry_no, entry_id, organisation_no, dataset, columns, question, question_sha256,
                                          split_sha256, told_sha256, snapshots, admitted, answered_at)
values (%(entry_no)s, %(entry_id)s, %(organisation_no)s, %(dataset)s, %(columns)s::text[], %(question)s, %(question_sha256)s,
        %(split_sha256)s, %(told_sha256)s, %(snapshots)s, %(admitted)s, %(at)s)

-- name: remember_cells
insert into cleanroom.remembered_cells (entry_no, key_sha256, set_sha256, rows)
select %(entry_no)s, * from unnest(%(keys)s::bytea[], %(sets)s::bytea[], %(rows)s::bigint[])
on conflict do nothing

-- name: known_sets
select set_sha256 from cleanroom.remembered_sets where set_sha256 = any (%(hashes)s::bytea[])

-- name: was_told
select 1 as told from cleanroom.remembered_answers
where organisation_no = %(organisation_no)s and question_sha256 = %(question_sha256)s and told_sha256 = %(told_sha256)s
limit 1

-- name: sets_close_to
select distinct s.set_sha256, s.bits
from cleanroom.remembered_answers a
join cleanroom.remembered_cells c using (entry_no)
join cleanroom.remembered_sets s using (set_sha256)
where a.organisation_no = %(organisation_no)s and a.dataset = %(dataset)s and a.columns && %(columns)s::text[]
  and exists (select 1 from unnest(%(lows)s::int[], %(highs)s::int[]) near (low, high)
              where s.subject_count between near.low and near.high)

-- name: earlier_answers
select * from (
  select distinct on (a.question_sha256) a.*, s.bits
  from cleanroom.remembered_answers a join cleanroom.remembered_sets s on s.set_sha256 = a.admitted
  where a.organisation_no = %(organisation_no)s and a.split_sha256 = %(split_sha256)s and a.columns && %(columns)s::text[]
  order by a.question_sha256, a.entry_no desc) latest
order by entry_no desc limit %(limit)s

-- name: told_by
select entry_no, key_sha256, set_sha256, rows from cleanroom.remembered_cells where entry_no = any (%(entry_nos)s::bigint[])

-- name: forget_answers
delete from cleanroom.remembered_answers where answered_at < %(before)s

-- name: forget_sets
delete from cleanroom.remembered_sets s
where not exists (select 1 from cleanroom.remembered_cells c where c.set_sha256 = s.set_sha256)
  and not exists (select 1 from cleanroom.remembered_answers a where a.admitted = s.set_sha256)

-- name: begin_question
-- What a process that died left behind is taken over after an hour.
insert into cleanroom.running_questions as r (question_id, organisation_no, begun_at)
values (%(question_id)s, %(organisation_no)s, %(at)s)
on conflict (question_id) do update set begun_at = excluded.begun_at, ended_at = null
  where r.begun_at < excluded.begun_at - interval '1 hour'

-- name: running_question
select ended_at from cleanroom.running_questions where question_id = %(question_id)s

-- name: end_question
update cleanroom.running_questions set ended_at = %(at)s where question_id = %(question_id)s

-- name: forget_question
delete from cleanroom.running_questions where question_id = %(question_id)s

-- name: lock_budget
select pg_advisory_xact_lock(1112884295, %(agreement_no)s)

-- name: insert_charge
insert into cleanroom.charges (entry_no, organisation_no, agreement_no, charged_at, questions, epsilon_milli)
values (%(entry_no)s, %(organisation_no)s, %(agreement_no)s, %(at)s, %(questions)s, %(epsilon_milli)s)

-- name: spent
-- Of one unit (questions, or thousandths of epsilon); `since` is what still counts.
select coalesce(sum(amount), 0)::bigint as spent, min(charged_at) as oldest_at
from (select charged_at, case %(unit)s::text when 'questions' then questions else epsilon_milli end as amount
      from cleanroom.charges where agreement_no = %(agreement_no)s and charged_at > %(since)s) c
where amount > 0

-- name: charge_that_frees
-- The first charge with whose end `wanted` is free again, if those before it end too.
select charged_at from (
  select charged_at, entry_no, sum(amount) over (order by charged_at, entry_no) as freed
  from (select charged_at, entry_no, case %(unit)s::text when 'questions' then questions else epsilon_milli end as amount
        from cleanroom.charges where agreement_no = %(agreement_no)s and charged_at > %(since)s) c
  where amount > 0) f
where freed >= %(wanted)s order by charged_at, entry_no limit 1
