-- name: insert_campaign
insert into cash.campaigns (campaign_id, organisation_no, name_ja, name_en, amount_yen, rate_permille, cap_yen, budget_yen,
  left_yen, first_day, last_day, valid_days, by_claim, created_at)
values (%(campaign_id)s, %(organisation_no)s, %(name_ja)s, %(name_en)s, %(amount_yen)s, %(rate_permille)s, %(cap_yen)s,
  %(budget_yen)s, %(budget_yen)s, %(first_day)s, %(last_day)s, %(valid_days)s, %(by_claim)s, %(at)s)
returning campaign_no

-- name: insert_campaign_shops
insert into cash.campaign_shops (campaign_no, shop_no)
select %(campaign_no)s, shop_no from cash.shops where shop_id = any(%(shop_ids)s::text[])

-- name: campaigns
select c.*, array(select s.shop_id from cash.campaign_shops b join cash.shops s using (shop_no)
                  where b.campaign_no = c.campaign_no order by s.shop_no) as shop_ids
from cash.campaigns c where %(state)s::text is null or c.state = %(state)s order by c.campaign_no

-- name: campaign
select c.*, array(select s.shop_id from cash.campaign_shops b join cash.shops s using (shop_no)
                  where b.campaign_no = c.campaign_no order by s.shop_no) as shop_ids
from cash.campaigns c where c.campaign_id = %(campaign_id)s

-- name: lock_campaign
-- Whoever changes what is left of a budget waits here for the others.
select c.*, array(select s.shop_id from cash.campaign_shops b join cash.shops s using (shop_no)
                  where b.campaign_no = c.campaign_no order by s.shop_no) as shop_ids
from cash.campaigns c where c.campaign_id = %(campaign_id)s for update of c

-- name: set_campaign_state
update cash.campaigns set state = %(state)s, left_yen = %(left_yen)s where campaign_no = %(campaign_no)s

-- name: take_from_budget
update cash.campaigns set left_yen = left_yen - %(yen)s where campaign_no = %(campaign_no)s

-- name: campaigns_over
select campaign_id from cash.campaigns where state = 'open' and last_day < %(today)s order by campaign_no

-- name: figures
select count(distinct subject_no)::int as residents, coalesce(sum(granted_yen), 0)::bigint as granted_yen,
       coalesce(sum(left_yen), 0)::bigint as held_yen, coalesce(sum(returned_yen), 0)::bigint as returned_yen
from cash.lots where campaign_no = %(campaign_no)s

-- name: count_without_gift
select count(*) as missing from unnest(%(subject_nos)s::int[]) as g (subject_no)
where not exists (select from cash.lots l where l.campaign_no = %(campaign_no)s and l.subject_no = g.subject_no
                  and l.occasion = %(occasion)s)

-- name: insert_gifts
insert into cash.lots (lot_id, subject_no, campaign_no, organisation_no, occasion, is_bound, granted_yen, left_yen,
  granted_at, expires_at)
select lot_id, subject_no, %(campaign_no)s, %(organisation_no)s, %(occasion)s, %(is_bound)s, %(yen)s, %(yen)s,
  %(at)s, %(expires_at)s
from unnest(%(lot_ids)s::text[], %(subject_nos)s::int[]) as g (lot_id, subject_no)
on conflict (campaign_no, subject_no, occasion) where campaign_no is not null do nothing
returning lot_no, subject_no

-- name: insert_claims
insert into cash.claims (campaign_no, subject_no, claimed_at)
select %(campaign_no)s, unnest(%(subject_nos)s::int[]), %(at)s on conflict do nothing

-- name: come_back
update cash.claims set left_at = null where campaign_no = %(campaign_no)s and subject_no = %(subject_no)s and left_at is not null

-- name: leave
update cash.claims set left_at = %(at)s where campaign_no = %(campaign_no)s and subject_no = %(subject_no)s and left_at is null

-- name: claimed
-- Campaigns in which the resident takes part, or of which they have something.
select campaign_no from cash.claims where subject_no = %(subject_no)s and left_at is null
union select campaign_no from cash.lots where subject_no = %(subject_no)s and campaign_no is not null

-- name: lock_lots
-- What the resident can spend in a shop, in the order in which it is: vouchers first, each kind by its end.
select l.lot_no, l.left_yen from cash.lots l
where l.subject_no = %(subject_no)s and l.left_yen > 0 and l.expires_at > %(at)s
  and (not l.is_bound
       or exists (select from cash.campaign_shops b where b.campaign_no = l.campaign_no and b.shop_no = %(shop_no)s))
order by l.is_bound desc, l.expires_at, l.lot_no for update of l

-- name: spend_lots
with part as (select * from unnest(%(lot_nos)s::bigint[], %(yen)s::bigint[]) as p (lot_no, yen)),
used as (
  insert into cash.lot_uses (payment_id, lot_no, subject_no, amount_yen)
  select %(payment_id)s, lot_no, %(subject_no)s, yen from part
)
update cash.lots l set left_yen = l.left_yen - part.yen from part where l.lot_no = part.lot_no

-- name: earning
-- Campaigns that give the resident a rate of what is paid in this shop.
select c.campaign_id, k.given_yen from cash.claims k join cash.campaigns c using (campaign_no)
where k.subject_no = %(subject_no)s and k.left_at is null and c.rate_permille > 0 and c.state = 'open'
  and %(today)s between c.first_day and c.last_day
  and (not exists (select from cash.campaign_shops b where b.campaign_no = c.campaign_no)
       or exists (select from cash.campaign_shops b where b.campaign_no = c.campaign_no and b.shop_no = %(shop_no)s))
order by c.campaign_no

-- name: add_to_claim
update cash.claims set given_yen = greatest(0, given_yen + %(yen)s)
where campaign_no = %(campaign_no)s and subject_no = %(subject_no)s

-- name: lock_uses
-- What a payment took of lots, the last first.
select u.lot_no, u.amount_yen - u.restored_yen as yen, l.expires_at, l.organisation_no,
       sum(u.amount_yen) over ()::bigint as spent_yen
from (select * from cash.lot_uses where payment_id = %(payment_id)s for update) u
join (select * from cash.lots where lot_no in (select lot_no from cash.lot_uses where payment_id = %(payment_id)s)
      for update) l using (lot_no)
order by l.is_bound, l.expires_at desc, u.lot_no desc

-- name: restore_lots
with part as (select * from unnest(%(lot_nos)s::bigint[], %(yen)s::bigint[], %(live)s::bool[]) as p (lot_no, yen, live)),
used as (
  update cash.lot_uses u set restored_yen = u.restored_yen + part.yen from part
  where u.lot_no = part.lot_no and u.payment_id = %(payment_id)s
)
update cash.lots l set left_yen = l.left_yen + case when part.live then part.yen else 0 end,
  returned_yen = l.returned_yen + case when part.live then 0 else part.yen end
from part where l.lot_no = part.lot_no

-- name: lock_earned
-- What a payment earned, and has not given back.
select l.lot_no, l.campaign_no, l.organisation_no, l.granted_yen, l.left_yen, c.rate_permille,
       l.granted_yen - l.returned_yen - l.withheld_yen as had_yen
from cash.lots l join cash.campaigns c using (campaign_no)
where l.subject_no = %(subject_no)s and l.occasion = %(payment_id)s and c.rate_permille > 0
order by l.lot_no for update of l

-- name: take_back
update cash.lots set left_yen = left_yen - %(taken_yen)s, returned_yen = returned_yen + %(taken_yen)s,
  withheld_yen = withheld_yen + %(withheld_yen)s
where lot_no = %(lot_no)s

-- name: expire_lots
with over as (
  select lot_no, left_yen from cash.lots where left_yen > 0 and expires_at <= %(at)s
  order by expires_at, lot_no limit %(most)s for update skip locked
)
update cash.lots l set left_yen = 0, returned_yen = l.returned_yen + over.left_yen
from over where l.lot_no = over.lot_no
returning l.lot_no, l.subject_no, l.organisation_no, over.left_yen as yen

-- name: lots_of
select l.lot_id, l.campaign_no, c.campaign_id, l.agreement_no, c.name_ja, c.name_en, l.granted_yen, l.left_yen, l.granted_at,
       l.expires_at, case when l.is_bound then array(
         select s.shop_id from cash.campaign_shops b join cash.shops s using (shop_no)
         where b.campaign_no = l.campaign_no order by s.shop_no) else '{}' end as shop_ids
from cash.lots l left join cash.campaigns c using (campaign_no)
where l.subject_no = %(subject_no)s and l.left_yen > 0 and l.expires_at > %(at)s
order by l.is_bound desc, l.expires_at, l.lot_no

-- name: insert_payout
insert into cash.payouts (entry_no, agreement_no, organisation_no, yen_each, subjects, subject_count, used_at)
values (%(entry_no)s, %(agreement_no)s, %(organisation_no)s, %(yen_each)s, %(subjects)s, %(subject_count)s, %(at)s)

-- name: lock_payout
select entry_no, agreement_no, organisation_no, yen_each, subjects, next_subject from cash.payouts
where paid_at is null order by entry_no limit 1 for update skip locked

-- name: go_on_with_payout
-- When all have their part, whom it was for is known to the journal alone.
update cash.payouts set next_subject = %(next_subject)s, paid_at = %(paid_at)s,
  subjects = case when %(paid_at)s::timestamptz is null then subjects else ''::bytea end
where entry_no = %(entry_no)s

-- name: add_returns
insert into cash.lots (lot_id, subject_no, agreement_no, organisation_no, occasion, is_bound, granted_yen, left_yen,
  granted_at, expires_at)
select lot_id, subject_no, %(agreement_no)s, %(organisation_no)s, '', false, %(yen)s, %(yen)s, %(at)s, %(expires_at)s
from unnest(%(lot_ids)s::text[], %(subject_nos)s::int[]) as g (lot_id, subject_no)
on conflict (agreement_no, subject_no, expires_at) where agreement_no is not null
do update set granted_yen = lots.granted_yen + excluded.granted_yen, left_yen = lots.left_yen + excluded.left_yen

-- name: paid_of
select agreement_no, sum(granted_yen) as yen from cash.lots
where subject_no = %(subject_no)s and agreement_no is not null group by agreement_no
