-- Who acts, as the row-level-security policies of every district read it. Set by ground/db.py at the start of a transaction.
create function ground.actor_subject() returns int language sql stable parallel safe
  return nullif(current_setting('sanpo.subject_no', true), '')::int;

create function ground.actor_organisation() returns int language sql stable parallel safe
  return nullif(current_setting('sanpo.organisation_no', true), '')::int;

create function ground.actor_agreement() returns int language sql stable parallel safe
  return nullif(current_setting('sanpo.agreement_no', true), '')::int;

create function ground.actor_duty() returns text language sql stable parallel safe
  return nullif(current_setting('sanpo.duty', true), '');
