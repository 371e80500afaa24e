-- Moves are numbered from a place of each city's own: rows that came into its lake from another city's, by a package, are
-- then of no move of this one, and are nobody's history here, whatever numbers of entities they bear.
do $$ begin
  execute format('alter table broker.flows alter column flow_no set start with %1$s restart with %1$s', (floor(random() * 1e9)::bigint + 1) << 32);
end $$;
