-- Where a shop stands (WGS 84), where that is known.
alter table cash.shops
  add column longitude float8 check (longitude between -180 and 180),
  add column latitude float8 check (latitude between -90 and 90),
  add constraint place_is_whole check ((longitude is null) = (latitude is null));
