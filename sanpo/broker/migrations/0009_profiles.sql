-- What an entity is made of: its types, and its attributes with the kinds of their instances ('iri kind'). Entities have few
-- profiles, so that discovery reads these and counts in an index (§5.7.5 to §5.7.10), whatever number of entities there is.
create table broker.profiles (
  profile_no int generated always as identity primary key,
  digest text not null unique,
  types text[] not null,
  attributes text[] not null
);
alter table broker.entities add column profile_no int;

create temp table made_of as
select e.entity_no, array(select t from unnest(e.types) as t order by t collate "C") as types,
       array(select distinct (a.iri || ' ' || (i ->> 'type')) collate "C" from jsonb_each(e.doc -> 'attrs') as a (iri, instances),
             jsonb_array_elements(a.instances) as i order by 1) as attributes
from broker.entities e;
alter table made_of add column digest text;
update made_of set digest = encode(sha256(convert_to(
  array_to_string(types, E'\n') || E'\n\n' || array_to_string(attributes, E'\n'), 'UTF8')), 'hex');
insert into broker.profiles (digest, types, attributes) select distinct digest, types, attributes from made_of;
update broker.entities e set profile_no = p.profile_no
from made_of m join broker.profiles p using (digest) where m.entity_no = e.entity_no;
drop table made_of;

alter table broker.entities alter column profile_no set not null;
create index entities_by_profile on broker.entities (tenant_no, profile_no) where subjects is null;
create or replace view broker.public_entities as select * from broker.entities where subjects is null;
