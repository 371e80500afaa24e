-- By which number the city's own register knows a resident (never a national number), and since when the register does
-- not list them any more. Both belong to the identity and stand behind its wall.
alter table people.identities add column reference text unique;
alter table people.identities add column vanished_at timestamptz;

-- By which number it knows the household. Members have it, because nothing walls a household without members.
alter table people.household_members add column reference text;

-- An import compares what is there with what came; letters need names and addresses. Each is a duty of its own, so that
-- no other way of the operator opens an identity.
create policy import on people.residents
  using (ground.actor_duty() = 'register') with check (ground.actor_duty() = 'register');
create policy import on people.identities
  using (ground.actor_duty() = 'register') with check (ground.actor_duty() = 'register');
create policy import on people.household_members
  using (ground.actor_duty() = 'register') with check (ground.actor_duty() = 'register');
create policy letters on people.identities for select using (ground.actor_duty() = 'letters');

-- A link in a letter signs in anywhere; one that a demo printed, in a demo only.
alter table people.sign_in_links add column invited boolean not null default false;
create index on people.sign_in_links (subject_no) where used_at is null;
create index on people.sign_in_links (staff_id) where used_at is null;
