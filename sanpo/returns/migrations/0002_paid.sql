-- A return that is paid to those who gave the data; null: counted only.
alter table returns.accruals add column paid_in text check (paid_in in ('points'));
