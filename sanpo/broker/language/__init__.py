"""The query languages of NGSI-LD (ETSI GS CIM 009): from text to a frozen tree, from there to an answer. Pure.

| language | clause | read by | decided in Python by | for PostgreSQL |
|---|---|---|---|---|
| `q`, `csf` | 4.9 | `q.parse.parse_q` | `q.matching.matches_q` | `q.sql.compile_q` |
| type selection | 4.17 | `type_selection.parse_types` | `matches_types` | `compile_types` |
| `scopeQ` | 4.19 | `scopes.parse_scope_q` | `matches_scope_q` | `compile_scope_q` |
| `id`, `idPattern` | 5.7.2 | `ids.parse_ids`, `parse_id_pattern` | `Pattern.found_in` | `compile_ids`, `compile_id_pattern` |
| geoquery | 4.10 | `geo.parse_geo` | `matches_geo` | `compile_geo`, never exact |
| ordering | 4.23 | `ordering.parse_order` | `sort_entities` | `ordering_sql.compile_order` |
| projection | 4.21 | `projection.parse_projection`, `parse_attrs` | `pick`, `omit`, `matches_attrs` | `compile_attrs` |
| NGSIv2's `q`, `mq`, geo | FIWARE v2 | `v2.parse_v2_q`, `parse_v2_mq`, `parse_v2_geo` | as `q` and geo | as `q` and geo |
| temporal query | 4.11 | `temporal.parse_temporal` | `matches_temporal` | `compile_temporal` |

Invariants: names in a tree are expanded; nothing that an asker wrote is in the text of a statement; what is read is bounded
in length, depth and width; a text that is refused says where and what would be accepted; Python and PostgreSQL agree.

An attribute that somebody may not see must be hidden from the query as well: `q.model.attributes_of` names what it looks at.

What the conditions ask of the table (100,000 entities of 6 properties, 1 relationship and 1 place, 2 kB of JSON each; one
connection, planning included, 20 rows):

* A row that is looked at costs 2 to 4 µs, half of it decompression (`toast_tuple_target = 8160` keeps rows of up to 8 kB
  plain, at 2.5 times the space). A type with a `q` that fits every second entity takes 1 ms, every thirtieth 4 ms, every
  hundredth 9 ms, one in 100,000 0.3 s. An index on `doc` did not help: the planner guesses that `@@` fits one row in 100 and
  reads in order until it has 20; and with an index on `doc` or `modified_at` no update of it is heap-only.
* A generic plan cannot know that a type is common and reads all of its rows first (0.5 s instead of 1 ms): the statement
  needs `plan_cache_mode = force_custom_plan`, or a table of types with the key (tenant_no, type, entity_no), whose plans are
  good both ways; it also takes a rare type from 8 ms to 1 ms.
* `compile_geo` compares boxes: `using gist (box(point(max_x, max_y), point(min_x, min_y)))` takes `near` within 500 m from
  52 ms to 0.5 ms. Python's decision costs about 20 µs for each candidate.
* Ordering by an attribute looks its value up once for each row that fits (10 to 20 µs): all 70,000 of a type take over a
  second. Sort numbers of entities and read the documents of one page afterwards: one statement makes `doc::text` of all.
* Patterns run in PostgreSQL under its own engine: give the statement a `statement_timeout` all the same.
"""
