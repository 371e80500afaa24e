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
| temporal query | 4.11 | `temporal.parse_temporal` | `matches_temporal` | `compile_temporal` |

Invariants: names in a tree are expanded; nothing that an asker wrote is in the text of a statement; what is read is bounded
in length, depth and width; a text that is refused says where and what would be accepted; Python and PostgreSQL agree.

An attribute that somebody may not see must be hidden from the query as well: `q.model.attributes_of` names what it looks at.
"""
