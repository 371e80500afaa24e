-- name: insert_context
insert into broker.contexts (local_id, kind, tenant, document, sha256, created_at)
values (%(local_id)s, %(kind)s, %(tenant)s, %(document)s, %(sha256)s, %(now)s)

-- name: insert_implicit
insert into broker.contexts (local_id, kind, tenant, document, sha256, created_at)
values (%(local_id)s, 'ImplicitlyCreated', %(tenant)s, %(document)s, %(sha256)s, %(now)s)
on conflict (tenant, sha256) where sha256 is not null do update set kind = contexts.kind
returning local_id

-- name: put_cached
insert into broker.contexts (local_id, kind, url, document, created_at, expires_at)
values (%(local_id)s, 'Cached', %(url)s, %(document)s, %(now)s, %(expires_at)s)
on conflict (url) do update
set document = excluded.document, created_at = excluded.created_at, expires_at = excluded.expires_at

-- name: note_mapped
insert into broker.contexts (local_id, kind, url, created_at) values (%(local_id)s, 'Cached', %(url)s, %(now)s)
on conflict (url) do nothing

-- name: forget_surplus
delete from broker.contexts where local_id in (
  select local_id from broker.contexts where kind = 'Cached'
  order by coalesce(last_usage, created_at) desc offset %(most)s)

-- name: cached_document
select document, expires_at from broker.contexts where url = %(url)s and document is not null

-- name: own_document
select document from broker.contexts where local_id = %(local_id)s and kind <> 'Cached'

-- name: stored_context
select local_id, kind, tenant, url, document, created_at, expires_at, last_usage, hits from broker.contexts
where (local_id = %(context_id)s or url = %(context_id)s) and (kind = 'Cached' or tenant = %(tenant)s)

-- name: served_context
select local_id, kind, url, document from broker.contexts
where (local_id = %(context_id)s or url = %(context_id)s) and (kind <> 'Hosted' or tenant = %(tenant)s)

-- name: stored_contexts
select local_id, kind, tenant, url, null as document, created_at, expires_at, last_usage, hits from broker.contexts
where (kind = 'Cached' or tenant = %(tenant)s) and (%(kind)s::text is null or kind = %(kind)s)
order by created_at, local_id limit %(most)s

-- name: delete_context
delete from broker.contexts
where (local_id = %(context_id)s or url = %(context_id)s) and (kind = 'Cached' or tenant = %(tenant)s)
returning url

-- name: count_hits
update broker.contexts as c set hits = c.hits + n.hits, last_usage = greatest(c.last_usage, %(now)s)
from unnest(%(ids)s::text[], %(hits)s::bigint[]) as n (id, hits)
where c.url = n.id or c.local_id = n.id

-- name: context_revision
select revision from broker.context_revision

-- name: raise_context_revision
insert into broker.context_revision (revision) values (1)
on conflict (only_row) do update set revision = context_revision.revision + 1
