-- JSON-LD contexts (ETSI GS CIM 009 §5.13.1): fetched copies (Cached), what users keep here (Hosted), and what the broker
-- itself had to give an address (ImplicitlyCreated). `document` is JSON as it came, null where a configured file holds it.
-- What is cached is public and belongs to no tenant.
create table broker.contexts (
  local_id text primary key check (local_id like 'urn:ngsi-ld:Context:%'),
  kind text not null check (kind in ('Cached', 'Hosted', 'ImplicitlyCreated')),
  tenant text not null default '',
  url text unique,
  document text,
  sha256 bytea,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_usage timestamptz,
  hits bigint not null default 0,
  check ((kind = 'Cached') = (url is not null)),
  check (kind = 'Cached' or document is not null),
  check ((kind = 'ImplicitlyCreated') = (sha256 is not null))
);
create index contexts_in_order on broker.contexts (created_at, local_id);
create unique index contexts_once on broker.contexts (tenant, sha256) where sha256 is not null;

-- How often a context was deleted or replaced: what a process remembers of them holds while this stays the same.
create table broker.context_revision (
  only_row boolean primary key default true check (only_row),
  revision bigint not null
);
