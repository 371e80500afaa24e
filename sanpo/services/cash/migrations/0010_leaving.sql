-- Who has left a campaign earns nothing more there. The row stays, so that to leave and come back gives no second cap.
alter table cash.claims add column left_at timestamptz;
