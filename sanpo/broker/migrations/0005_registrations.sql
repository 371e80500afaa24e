-- Who else holds context information (ETSI GS CIM 009 §5.9). `revision` of `broker.federation` is raised by each change, so that
-- a process that has read the registrations knows whether they are still those.
create table broker.registrations (
  registration_no bigint generated always as identity primary key,
  tenant_no int not null references broker.tenants,
  registration_id text not null,
  doc jsonb not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  modified_at timestamptz not null,
  unique (tenant_no, registration_id)
);

create table broker.federation (one boolean primary key default true check (one), revision bigint not null);
