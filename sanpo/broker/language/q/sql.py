"""The query as a condition on rows of entities. Pure.

All terms without linked entities become one jsonpath, the value of one parameter: the statement's text, and with it the
prepared statement, is the same for nearly all queries. Over linked entities a term is a subquery, on which row-level
security acts as on any other.
"""

from dataclasses import dataclass, replace

from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.moments import Moment, read_moment
from sanpo.broker.language.names import SYSTEM
from sanpo.broker.language.q.jsonpath import instances, predicate
from sanpo.broker.language.q.model import And, Compare, Exists, Link, Or, Query, Text
from sanpo.broker.model import NGSI_LD

_COLUMNS = {NGSI_LD + "createdAt": "created_at", NGSI_LD + "modifiedAt": "modified_at"}
_COMPARED = {"==": "=", ">": ">", "<": "<", ">=": ">=", "<=": "<="}
_OBJECTS = ('."object"', '."objectList"', '."objectList"."object"')


@dataclass(frozen=True, slots=True)
class _Predicate:
    """A jsonpath about the entity, not yet a parameter."""

    text: str


def compile_q(query: Query, parameters: Parameters, *, alias: str = "e", table: str = "broker.entities") -> Condition:
    """The query as SQL over `alias`. `alias` and `table` are the caller's own words, never an asker's."""
    return Condition(_sql(_Compiler(parameters, table).compile(query, alias), alias, parameters))


def _sql(part: _Predicate | str, alias: str, parameters: Parameters) -> str:
    return part if isinstance(part, str) else f"{alias}.doc @@ {parameters.add(part.text, 'jsonpath')}"


@dataclass(frozen=True, slots=True)
class _Compiler:
    parameters: Parameters
    table: str

    def compile(self, query: Query, alias: str) -> _Predicate | str:
        if isinstance(query, And | Or):
            return self._joined(query, alias)
        if query.path.links:
            return self._linked(query, alias)
        return self._by_column(query, alias) or _Predicate(predicate(query))

    def _joined(self, query: And | Or, alias: str) -> _Predicate | str:
        parts = [self.compile(part, alias) for part in query.parts]
        signs = (" && ", " and ") if isinstance(query, And) else (" || ", " or ")
        texts = [part.text for part in parts if isinstance(part, _Predicate)]
        merged = _Predicate(signs[0].join(f"({text})" for text in texts))
        if len(texts) == len(parts):
            return merged
        found = [_sql(merged, alias, self.parameters)] if texts else []
        found += [part for part in parts if isinstance(part, str)]
        return f"({signs[1].join(found)})"

    def _by_column(self, term: Exists | Compare, alias: str) -> str | None:
        """The entity's own times are columns, which an index can serve."""
        if not isinstance(term, Compare) or len(term.path.names) != 1 or term.path.member:
            return None
        column, operator = _COLUMNS.get(term.path.names[0]), _COMPARED.get(term.operator)
        moment = read_moment(term.value.text) if isinstance(term.value, Text) else term.value
        if column is None or operator is None or not isinstance(moment, Moment) or moment.kind != "dateTime":
            return None
        return f"{alias}.{column} {operator} {self.parameters.add(moment.canonical, 'timestamptz')}"

    def _linked(self, term: Exists | Compare, alias: str) -> str:
        link, *rest = term.path.links
        inner = "l1" if alias == "e" else f"l{int(alias[1:]) + 1}" if alias[0] == "l" else "l1"
        path = replace(term.path, links=tuple(rest))
        present = replace(term, path=path, absent=False) if isinstance(term, Exists) else replace(term, path=path)
        below = _sql(self.compile(present, inner), inner, self.parameters)
        objects = " union all ".join(
            f"select jsonb_path_query({alias}.doc, {self.parameters.add(path, 'jsonpath')})" for path in _uris(link)
        )
        types = f" and {inner}.types && {self.parameters.add(list(link.types), 'text[]')}" if link.types else ""
        found = (
            f"exists (select 1 from ({objects}) as o (uri) join {self.table} {inner}"
            f" on {inner}.tenant_no = {alias}.tenant_no and {inner}.entity_id = o.uri #>> '{{}}'"
            f" where {below}{types})"
        )
        return f"not {found}" if isinstance(term, Exists) and term.absent else found


def _uris(link: Link) -> list[str]:
    if link.name in SYSTEM:
        return ["$ ? (1 == 0)"]
    return [f'{instances((link.name,))}{each} ? (@.type() == "string")' for each in _OBJECTS]
