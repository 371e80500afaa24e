-- Open datasets: public data that a city adds while it runs. The rows lie in the lake; what they are is here, public too.
create table lake.open_datasets (
  name text primary key check (name ~ '^open\.[a-z][a-z0-9_]*$'),
  descriptor jsonb not null,
  content_sha256 text not null check (length(content_sha256) = 64),
  rows bigint not null check (rows >= 0),
  skipped bigint not null check (skipped >= 0),
  imported_by text not null,
  imported_at timestamptz not null,
  revision bigint not null unique
);

-- Grows with every change; because changes queue for one lock, the highest one that is seen tells that all before are too.
create sequence lake.open_revisions;

revoke insert, update, delete on lake.open_datasets from sanpo_app;
revoke usage on sequence lake.open_revisions from sanpo_app;

-- The one way to write: in the transaction of an officer or a duty of the city, one after the other.
create function lake.put_open_dataset(
  dataset text, described jsonb, sha256 text, row_count bigint, skipped_count bigint, actor text, at timestamptz
) returns void language plpgsql security definer set search_path = lake, pg_temp as $$
begin
  if ground.actor_duty() in ('jobs', 'operator', 'officer', 'simulator') is not true
  then raise exception 'only an officer may register open data' using errcode = 'insufficient_privilege'; end if;
  perform pg_advisory_xact_lock(1279347525, 1);
  insert into open_datasets as o
  values (dataset, described, sha256, row_count, skipped_count, actor, at, nextval('open_revisions'))
  on conflict (name) do update set
    descriptor = excluded.descriptor, content_sha256 = excluded.content_sha256, rows = excluded.rows,
    skipped = excluded.skipped, imported_by = excluded.imported_by, imported_at = excluded.imported_at,
    revision = excluded.revision;
end $$;
