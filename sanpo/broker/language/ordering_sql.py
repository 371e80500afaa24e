"""Orderings as expressions of `order by` over rows of entities; `ordering.py` says what they mean. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from sanpo.broker.language.condition import Parameters
from sanpo.broker.language.geometry import EARTH_M
from sanpo.broker.language.moments import SHAPES, Kind
from sanpo.broker.language.names import SYSTEM
from sanpo.broker.language.ordering import FOLDED, ID, Ordering, OrderTerm
from sanpo.broker.language.q.jsonpath import quoted
from sanpo.broker.model import LOCATION, NGSI_LD

CODE_POINTS = "C"
_COLUMNS = {NGSI_LD + "createdAt": "created_at", NGSI_LD + "modifiedAt": "modified_at"}
_KEYS = ("value", "json", "vocab", "valueList", "object", "objectList", "languageMap")
_RANK = """case jsonb_typeof(v) when 'number' then 0 when 'string' then 1 when 'object' then 2 when 'array' then 3
 when 'boolean' then 4 end"""
_KINDS: tuple[tuple[str, Kind, int], ...] = (("Time", "time", 5), ("Date", "date", 6), ("DateTime", "dateTime", 7))
_TYPED = " ".join(
    f"when i ->> '@type' = '{name}' and i ->> '@value' ~ '^(?:{SHAPES[kind]})$' then {rank}"
    for name, kind, rank in _KINDS
)
_READ = f"""select case when jsonb_typeof(i) = 'object' and jsonb_exists(i, '@value') then i -> '@value' else i end as v,
 case when jsonb_typeof(i) <> 'object' or jsonb_typeof(i -> '@value') <> 'string' then null {_TYPED} end as k"""
_TEXT = """case when k = 7 then rpad(left(v #>> '{}', 19) || '.' || rtrim(substr(v #>> '{}', 21), 'Z'), 26, '0')
 when k = 5 then rpad(left(v #>> '{}', 8) || '.' || rtrim(substr(v #>> '{}', 10), 'Z'), 15, '0')
 when jsonb_typeof(v) = 'string' then v #>> '{}' end"""
_NUMBER = """case jsonb_typeof(v) when 'number' then (v #>> '{}')::numeric
 when 'boolean' then (v #>> '{}')::boolean::int::numeric end"""
_LAST = "case when v is null then 2 when jsonb_typeof(v) = 'null' then 1 else 0 end"
_HAVERSINE = """2 * {earth} * asin(sqrt(least(1, sin(radians({y} - {y0}) / 2) ^ 2
 + cos(radians({y})) * cos(radians({y0})) * sin(radians({x} - {x0}) / 2) ^ 2)))"""


@dataclass(frozen=True, slots=True)
class OrderBy:
    """Expressions for `order by`. Where it is not `exact` (distances), `sort_entities` has the last word."""

    sql: str
    exact: bool


def compile_order(
    ordering: Ordering, parameters: Parameters, *, alias: str = "e", collation: str = CODE_POINTS
) -> OrderBy:
    """`collation` is a name that `check_collation` gave, or the default. The caller adds what makes the order total."""
    exact = not any(term.direction.startswith("dist") for term in ordering.terms)
    start = None if ordering.start is None else json.loads(ordering.start)
    parts = [part for term in ordering.terms for part in _term(term, start, parameters, alias, collation)]
    return OrderBy(", ".join(parts), exact)


def _term(
    term: OrderTerm, start: dict[str, Any] | None, parameters: Parameters, alias: str, collation: str
) -> list[str]:
    names = term.path.names
    direction = "desc" if term.direction.endswith("desc") else "asc"
    if names == (ID,):
        return [f'{alias}.entity_id collate "{CODE_POINTS}" {direction}']
    if len(names) == 1 and names[0] in _COLUMNS and not term.path.member:
        return [f"{alias}.{_COLUMNS[names[0]]} {direction}"]
    if term.direction.startswith("dist") and start is not None:
        return [_distance(names, start, parameters, alias, direction)]
    # One row for each term, so that its value is looked up once; the fences keep the planner from doing it anew at each use.
    value = f"({_READ} from (select {_target(term, parameters, alias)} as i offset 0) x offset 0) y"
    last = f"-({_LAST})" if direction == "desc" else _LAST
    keys = ", ".join([last, f"coalesce(k, {_RANK})", _NUMBER, *_texts(f"({_TEXT})", collation)])
    return [f"(select row({keys}) from {value}) {direction}"]


def _texts(text: str, collation: str) -> list[str]:
    if collation != FOLDED:
        return [f'{text} collate "{collation}"']
    apart = f"normalize({text}, NFKD)"
    return [
        f"lower(regexp_replace({apart}, '[\u0300-\u036f]', '', 'g')) collate \"{CODE_POINTS}\"",
        f'lower({apart}) collate "{CODE_POINTS}"',
        f"regexp_replace({text}, '[[:lower:]]', '0', 'g') collate \"{CODE_POINTS}\"",  # small letters before capital ones
    ]


def _target(term: OrderTerm, parameters: Parameters, alias: str) -> str:
    """The JSON value to order by, of the default or first instance at each step."""
    names, member = term.path.names, term.path.member
    found = f"{alias}.doc"
    for name in names:
        if name in SYSTEM:
            found = f"({found}) -> '{SYSTEM[name]}'"
            continue
        listed = f'$."attrs".{quoted(name)}[*]'
        default = parameters.add(f'{listed} ? (!exists (@."datasetId"))', "jsonpath")
        first = f"jsonb_path_query_first(p, {parameters.add(listed, 'jsonpath')})"
        found = (
            f"(select coalesce(jsonb_path_query_first(p, {default}), {first}) from (select {found} as p offset 0) z)"
        )
    if names[-1] not in SYSTEM:
        keys = ", ".join(f"p -> '{key}'" for key in _KEYS)
        found = f"(select coalesce({keys}) from (select {found} as p offset 0) z)"
    if member:
        path = "strict $" + "".join(f".{quoted(key)}" for key in member)
        found = f"jsonb_path_query_first({found}, {parameters.add(path, 'jsonpath')}, '{{}}', true)"
    return found


def _distance(names: tuple[str, ...], start: dict[str, Any], parameters: Parameters, alias: str, direction: str) -> str:
    """From a point to the nearest point of the row's box, which is exact where `location` is a point; else no order yet."""
    if names != (LOCATION,) or start["type"] != "Point":
        return f"({alias}.min_x is null)"
    x0, y0 = (parameters.add(float(each), "float8") for each in start["coordinates"][:2])
    x = f"greatest({alias}.min_x, least({alias}.max_x, {x0}))"
    y = f"greatest({alias}.min_y, least({alias}.max_y, {y0}))"
    # Where there is no place greatest and least would pass over the nulls.
    metres = _HAVERSINE.format(earth=EARTH_M, x=x, y=y, x0=x0, y0=y0)
    return f"case when {alias}.min_x is not null then {metres} end {direction} nulls last"
