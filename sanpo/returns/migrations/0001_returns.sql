create table returns.accruals (
  entry_no bigint not null,
  side text not null check (side in ('giver', 'city', 'organisation')),
  agreement_no int not null,
  metric text not null,
  unit_ja text not null,
  unit_en text not null,
  basis text not null check (basis in ('answer', 'cell', 'subject', 'reported')),
  per int not null check (per > 0),
  quantity bigint,
  at timestamptz not null,
  primary key (entry_no, side)
);
create index on returns.accruals (agreement_no, side);

create table returns.reports (
  report_id text primary key check (report_id like 'rep\_%'),
  agreement_no int not null,
  side text not null check (side in ('giver', 'city', 'organisation')),
  quantity bigint not null check (quantity >= 0),
  note text not null,
  reported_by text not null,
  at timestamptz not null
);
create index on returns.reports (agreement_no, side);
