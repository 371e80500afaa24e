"""Selection by identifier: a list (`id`) and a pattern (`idPattern`) (ETSI GS CIM 009 §5.7.2). Pure."""

from sanpo.broker.language.condition import Condition, Parameters
from sanpo.broker.language.names import IRI
from sanpo.broker.language.patterns import Pattern, read_pattern
from sanpo.broker.language.scanner import Scanner

MAX_IDS = 10_000


def parse_ids(text: str, *, parameter: str = "id") -> tuple[str, ...]:
    """A comma-separated list of URIs. Raises `QueryIsMalformed`, `QueryIsTooComplex`."""
    found: dict[str, None] = {}
    for part in text.split(","):
        uri = part.strip()
        if not IRI.fullmatch(uri):
            Scanner(part[:200], parameter).fail("URI,URI")
        found[uri] = None
        if len(found) > MAX_IDS:
            Scanner("", parameter).too_complex("identifiers", MAX_IDS)
    return tuple(found)


def parse_id_pattern(text: str, *, parameter: str = "idPattern") -> Pattern:
    """A regular expression of the subset of `patterns.py`, to be found anywhere in an identifier."""
    return read_pattern(text, parameter)


def compile_ids(ids: tuple[str, ...], parameters: Parameters, *, alias: str = "e") -> Condition:
    return Condition(f"{alias}.entity_id = any({parameters.add(list(ids), 'text[]')})")


def compile_id_pattern(pattern: Pattern, parameters: Parameters, *, alias: str = "e") -> Condition:
    return Condition(f"{alias}.entity_id ~ {parameters.add(pattern.text, 'text')}")
