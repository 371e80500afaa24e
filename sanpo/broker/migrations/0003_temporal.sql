-- Histories (ETSI GS CIM 009 §5.6.11 to §5.6.16, §5.7.3, §5.7.4).
-- When an instance came into the history, where it was changed after: null says that it was at modified_at (§5.6.14).
alter table broker.observations add column created_at timestamptz;
-- An instance is named by its number; what comes in together lies together, so that the cheapest of indexes finds it.
create index observations_by_number on broker.observations using brin (observation_no);

-- An entity of which only a history is known, because that is all that was ever told, never was deleted.
alter table broker.departed alter column deleted_at drop not null;

-- As broker.public_entities: row-level security would be tested for each of ten thousand rows. The view is its own wall.
create policy owner on broker.observations to sanpo_owner using (true) with check (true);
create view broker.public_observations as select * from broker.observations where subjects is null;
