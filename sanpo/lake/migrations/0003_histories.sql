-- The city's own histories of entities: datasets that no manifest describes, that no question can name, and that are kept,
-- compacted and erased like all others.
create table lake.histories (
  name text primary key check (name ~ '^broker\.[a-z0-9_]+$'),
  personal boolean not null
);
