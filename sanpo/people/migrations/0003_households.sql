-- Who lives with whom is walled. An admission may ask it for the subjects that it has, and learns numbers only.
create policy owner on people.household_members to current_user using (true);

create function people.members_with(bits bytea) returns table (subject_no int)
language sql stable security definer set search_path = people, pg_temp as $$
  select distinct other.subject_no
  from household_members one join household_members other using (household_no)
  where ground.actor_agreement() is not null
    and one.subject_no < octet_length(bits) * 8 and get_bit(bits, one.subject_no) = 1
$$;
