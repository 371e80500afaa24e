"""Entities and queries made by chance, from few names and values, so that they often meet."""

from typing import Any

from hypothesis import strategies as st

from sanpo.broker.language.moments import Moment, read_moment
from sanpo.broker.language.names import SYSTEM
from sanpo.broker.language.patterns import Pattern, read_pattern
from sanpo.broker.language.q.model import (
    And,
    Compare,
    Exists,
    Flag,
    Link,
    Number,
    Or,
    Path,
    Query,
    Range,
    Text,
    ValueList,
)
from sanpo.broker.model import NGSI_LD
from tests.chance import often

EXAMPLES = often(40, 1_500)
BASE = "https://city.example/terms#"


class Shop:
    """A context for tests: every term has an IRI of its own and back."""

    def expand(self, term: str) -> str:
        return BASE + term

    def expand_type(self, term: str) -> str:
        return BASE + term

    def compact(self, iri: str) -> str:
        return iri.removeprefix(BASE)

    def compact_type(self, iri: str) -> str:
        return iri.removeprefix(BASE)


NAMES = Shop()
ATTRIBUTES = [BASE + term for term in ("speed", "colour", "owner")]
TYPES = [BASE + term for term in ("Car", "House", "Shop")]
IDS = [f"urn:ngsi-ld:Thing:{number}" for number in range(4)]
TIMES = ["2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00.500000Z", "2026-03-01T12:30:00.123456Z"]
MEMBERS = ["en", "a", "dotted.key", "*"]
FEW_TEXTS = ["red", "blue", "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", BASE + "red", IDS[0], IDS[1]]
FEW_NUMBERS = [0, 1, 2, 0.5]
TEXTS = [
    *["", "a\nb", "red", "Red", "blue", "é", "\U0001f600", 'qu"ote', "back\\slash", "'; drop table e; --", "%s %(c0)s"],
    *["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00,50Z", "2026-01-01T00:00:00.05Z"],
    *[
        "2026-01-01T00:00:01Z",
        "2025-12-31T23:59:59.999999Z",
        "2026-01-01T00:00:00.123450Z",
        "2026-01-01T00:00:00.12345Z",
    ],
    *[
        "2026-01-01",
        "2026-02-30",
        "09:00:00Z",
        "09:00:00.000Z",
        "09:00:00.1Z",
        "24:00:00Z",
        "2026-01-01T00:00:00+09:00",
    ],
    *[BASE + "red", *IDS],
]
NUMBERS = [0, 1, -1, 2, 10, 0.5, -0.5, 1.0, 1e-7, 1e16, 10**16, 10**16 + 1, 1e23, 10**23, 2**53 + 1, 1.7e308]
PATTERNS = [
    "^red$",
    "e",
    "[A-Z]",
    "^(red|blue)$",
    r"\d{4}-\d\d",
    ".",
    r"\\",
    '"',
    "^$",
    r"'; drop|\$",
    "é+",
    r"\W",
    "x|",
]

texts = st.one_of(st.sampled_from(FEW_TEXTS), st.sampled_from(TEXTS))
numbers = st.one_of(st.sampled_from(FEW_NUMBERS), st.sampled_from(NUMBERS))
scalars = st.one_of(texts, numbers, st.booleans(), st.none())
typed = st.fixed_dictionaries({"@type": st.just("DateTime"), "@value": st.one_of(texts, numbers)})
compound_values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(scalars, scalars, typed),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=3)),
    max_leaves=5,
)
json_values = st.one_of(numbers, texts, compound_values)
uris = st.sampled_from(IDS)


def _one_or_list(of: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(of, st.lists(of, min_size=1, max_size=3))


values_by_type: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "Property": ("value", json_values),
    "Relationship": ("object", _one_or_list(uris)),
    "LanguageProperty": ("languageMap", st.dictionaries(st.sampled_from(MEMBERS[:2]), _one_or_list(texts), max_size=2)),
    "VocabProperty": ("vocab", _one_or_list(st.sampled_from([BASE + "red", BASE + "blue"]))),
    "JsonProperty": ("json", json_values),
    "ListProperty": ("valueList", st.lists(json_values, max_size=3)),
    "ListRelationship": (
        "objectList",
        st.lists(st.one_of(uris, st.fixed_dictionaries({"object": uris})), max_size=3),
    ),
}


@st.composite
def instances(draw: st.DrawFn, depth: int = 1) -> dict[str, Any]:
    kind = draw(st.sampled_from(sorted(values_by_type)))
    key, value = values_by_type[kind]
    made: dict[str, Any] = {"type": kind, key: draw(value)}
    if draw(st.booleans()):
        made["observedAt"] = draw(st.sampled_from(TIMES))
    if draw(st.booleans()):
        made["unitCode"] = draw(st.sampled_from(["CEL", "red"]))
    made["modifiedAt"] = draw(st.sampled_from(TIMES))
    if depth and draw(st.booleans()):
        made["attrs"] = draw(attributes(depth - 1))
    return made


def attributes(depth: int = 1) -> st.SearchStrategy[dict[str, list[dict[str, Any]]]]:
    listed = st.lists(instances(depth), min_size=1, max_size=2)
    return st.dictionaries(st.sampled_from(ATTRIBUTES), listed, min_size=1, max_size=3)


@st.composite
def entities(draw: st.DrawFn, entity_id: str | None = None) -> dict[str, Any]:
    made: dict[str, Any] = {
        "id": entity_id or draw(uris),
        "type": draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True)),
        "createdAt": draw(st.sampled_from(TIMES)),
        "modifiedAt": draw(st.sampled_from(TIMES)),
        "attrs": draw(attributes()),
    }
    scopes = draw(st.lists(st.sampled_from(SCOPES), max_size=2, unique=True))
    return made | ({"scope": scopes} if scopes else {})


SCOPES = ["/Madrid", "/Madrid/Gardens", "/Madrid/Gardens/North", "/Madrid2", "/CompanyA", "/CompanyA/Gardens"]


@st.composite
def cities(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A few entities of different ids, which may be linked."""
    return [draw(entities(entity_id)) for entity_id in IDS[: draw(st.integers(1, len(IDS)))]]


@st.composite
def plain_cities(draw: st.DrawFn) -> list[dict[str, Any]]:
    """As `cities`, where values do not matter."""
    found = []
    for entity_id in IDS[: draw(st.integers(1, len(IDS)))]:
        names = draw(st.lists(st.sampled_from(ATTRIBUTES), max_size=2))
        kinds = draw(st.lists(st.sampled_from(TYPES), min_size=1, max_size=2, unique=True))
        made: dict[str, Any] = {"id": entity_id, "type": kinds, "createdAt": TIMES[0], "modifiedAt": TIMES[0]}
        made["attrs"] = {name: [{"type": "Property", "value": 1}] for name in names}
        scopes = draw(st.lists(st.sampled_from(SCOPES), max_size=2, unique=True))
        found.append(made | ({"scope": scopes} if scopes else {}))
    return found


system = st.sampled_from(sorted(SYSTEM))
links = st.builds(
    Link, st.sampled_from(ATTRIBUTES), st.lists(st.sampled_from(TYPES), max_size=2, unique=True).map(tuple)
)
members = st.one_of(st.just(()), st.just(()), st.lists(st.sampled_from(MEMBERS), min_size=1, max_size=2).map(tuple))


@st.composite
def paths(draw: st.DrawFn) -> Path:
    names = draw(st.lists(st.sampled_from(ATTRIBUTES), min_size=1, max_size=draw(st.integers(1, 2))))
    if draw(st.integers(0, 5)) == 0:
        names = [*names, draw(system)][draw(st.integers(0, 1)) :]
    linked = draw(st.one_of(st.just([]), st.just([]), st.lists(links, max_size=2)))
    return Path(tuple(names), draw(members), tuple(linked))


def _moment(text: str) -> Moment:
    found = read_moment(text)
    assert found is not None
    return found


MOMENTS = [moment for text in TEXTS if (moment := read_moment(text)) is not None]
moments = st.sampled_from(MOMENTS)
comparable = st.one_of(numbers.map(Number), texts.map(Text), moments)
scalar_values = st.one_of(comparable, st.booleans().map(Flag))
patterns: st.SearchStrategy[Pattern] = st.sampled_from(PATTERNS).map(lambda source: read_pattern(source, "q"))
ranges = st.one_of(
    st.builds(Range, numbers.map(Number), numbers.map(Number)),
    st.builds(Range, texts.map(Text), texts.map(Text)),
    st.sampled_from([Range(low, high) for low in MOMENTS for high in MOMENTS if low.kind == high.kind]),
)
value_lists = st.lists(scalar_values, min_size=2, max_size=3).map(lambda values: ValueList(tuple(values)))


@st.composite
def terms(draw: st.DrawFn) -> Query:
    path = draw(paths())
    operator = draw(st.sampled_from(["exists", "==", "!=", ">", "<", ">=", "<=", "~=", "!~="]))
    if operator == "exists":
        return Exists(path, draw(st.booleans()))
    if operator in ("~=", "!~="):
        return Compare(path, operator, draw(patterns))
    if operator in ("==", "!="):
        return Compare(path, operator, draw(st.one_of(scalar_values, scalar_values, ranges, value_lists)))
    return Compare(path, operator, draw(comparable))


def _several(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    parts = st.lists(inner, min_size=2, max_size=3).map(tuple)
    return st.one_of(parts.map(And), parts.map(Or))


queries: st.SearchStrategy[Query] = st.recursive(terms(), _several, max_leaves=4)
OBSERVED_AT = NGSI_LD + "observedAt"
