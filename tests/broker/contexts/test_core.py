"""The Core @context: what ETSI publishes, and what nobody can override (ETSI GS CIM 009 §4.4, annex B)."""

import json
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.contexts import CORE, CORE_CONTEXT_URL, DEFAULT_VOCABULARY
from sanpo.broker.contexts.compiling import compile_context
from sanpo.broker.contexts.core_context import CORE_DOCUMENT, CORE_TERMS, is_core
from tests.broker.contexts.documents import reading

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"


def test_document_is_the_published_one(shared: Path) -> None:
    published = json.loads((shared / "specs" / "ngsi-ld-core-context-v1.9.jsonld").read_text(encoding="utf-8"))
    assert published == CORE_DOCUMENT


@pytest.mark.parametrize(
    ("name", "iri"),
    [
        ("id", "@id"),
        ("type", "@type"),
        ("location", NGSI_LD + "location"),
        ("value", NGSI_LD + "hasValue"),
        ("object", NGSI_LD + "hasObject"),
        ("description", "http://purl.org/dc/terms/description"),
        ("Point", "https://purl.org/geojson/vocab#Point"),
        ("Vehicle", DEFAULT_VOCABULARY + "Vehicle"),
        ("ngsi-ld:mine", NGSI_LD + "mine"),
        ("https://e.org/v#speed", "https://e.org/v#speed"),
        ("urn:x:y", "urn:x:y"),
    ],
)
def test_name_is_expanded_and_compacted_again(name: str, iri: str) -> None:
    assert CORE.expand(name) == iri
    assert CORE.compact(iri) == name


def test_name_that_has_a_shorter_form_is_compacted_to_it() -> None:
    assert CORE.compact(CORE.expand("ngsi-ld:location")) == "location"
    assert CORE.compact(NGSI_LD + "mine") == "ngsi-ld:mine"


@pytest.mark.parametrize("term", sorted(CORE_TERMS))
def test_core_term_is_never_another(term: str) -> None:
    meddling = compile_context([{term: "https://evil.example/x", "@vocab": "https://evil.example/"}], reading({}))
    assert meddling.expand(term) == CORE.expand(term)
    assert meddling.compact(CORE.expand(term)) == term


def test_core_wins_wherever_it_stands_and_the_default_vocabulary_with_it() -> None:
    user = {"location": "https://evil.example/location", "speed": "https://e.org/speed", "@vocab": "https://v.example/"}
    for value in ([CORE_CONTEXT_URL, user], [user, CORE_CONTEXT_URL], user):
        context = compile_context(value, reading({}))
        assert context.expand("location") == NGSI_LD + "location"
        assert context.expand("speed") == "https://e.org/speed"
        assert context.expand("anything") == DEFAULT_VOCABULARY + "anything"


@pytest.mark.parametrize("version", ["", *(f"-v1.{minor}" for minor in range(3, 10))])
def test_every_published_address_is_the_core(version: str) -> None:
    for scheme in ("https", "http"):
        assert is_core(f"{scheme}://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{version}.jsonld")


@pytest.mark.parametrize("name", ["-non-existing", "-v2.0", "-v1.33", "-v1.9.jsonld#x", "/x"])
def test_address_that_etsi_never_published_is_not_the_core(name: str) -> None:
    assert not is_core(f"https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context{name}.jsonld")


def test_core_document_is_served_here(broker: TestClient[Any]) -> None:
    served = broker.get("/ngsi-ld-core-context-v1.9.jsonld")
    assert (served.status_code, served.json()) == (200, CORE_DOCUMENT)
    assert served.headers["content-type"] == "application/ld+json"
