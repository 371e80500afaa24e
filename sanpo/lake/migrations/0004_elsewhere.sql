-- What an erasure took out of the other stores of the city: counts by name, added up where it was carried out in parts.
alter table lake.erasures add column elsewhere jsonb not null default '{}';
