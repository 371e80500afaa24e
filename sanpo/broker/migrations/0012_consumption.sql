-- Entity maps (ETSI GS CIM 009 §5.2.39): what a query of one asker had found, so that its pages fit together. Numbers, not
-- ids: what of them is in sight, and under which id, is decided whenever a map is read.
create table broker.entity_maps (
  map_id text primary key,
  tenant_no int not null references broker.tenants,
  owner text not null,
  entity_nos bigint[] not null,
  created_at timestamptz not null,
  expires_at timestamptz not null
);
create index entity_maps_by_owner on broker.entity_maps (owner, created_at);
create index entity_maps_in_time on broker.entity_maps (expires_at);
