-- What became of the requests to each registration's source (ETSI GS CIM 009 table 5.2.9-2).
create table broker.source_states (
  registration_no bigint primary key references broker.registrations on delete cascade,
  times_sent bigint not null,
  times_failed bigint not null,
  has_failed boolean not null, -- the last time
  last_success timestamptz,
  last_failure timestamptz,
  last_error text
) with (fillfactor = 70);
