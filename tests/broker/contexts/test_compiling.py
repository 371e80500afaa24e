"""From `@context` to names: JSON-LD's rules as NGSI-LD takes them, and what a hostile document gets (§4.4, §5.5.7)."""

import time
from typing import Any

import pytest

from sanpo.broker.contexts import DEFAULT_VOCABULARY, Context, ContextIsInvalid
from sanpo.broker.contexts.compiling import DEEPEST, MOST_DOCUMENTS, compile_context
from tests.broker.contexts.documents import reading

A, B, C = "https://a.example/a.jsonld", "https://b.example/b.jsonld", "https://c.example/c.jsonld"


def compiled(value: Any, **documents: Any) -> Context:
    return compile_context(value, reading({{"a": A, "b": B, "c": C}[name]: made for name, made in documents.items()}))


@pytest.mark.parametrize(
    ("local", "name", "iri"),
    [
        ({"Vehicle": "https://e.org/V"}, "Vehicle", "https://e.org/V"),
        ({"e": "https://e.org/", "speed": "e:speed"}, "speed", "https://e.org/speed"),
        ({"e": "https://e.org/"}, "e:anything", "https://e.org/anything"),
        ({"speed": "ngsi-ld:speed"}, "speed", "https://uri.etsi.org/ngsi-ld/speed"),
        ({"speed": {"@id": "https://e.org/s", "@type": "@id"}}, "speed", "https://e.org/s"),
        ({"speed": {"@type": "@id"}}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"@vocab": "https://v.org/", "speed": {"@type": "@id"}}, "speed", "https://v.org/speed"),
        ({"@vocab": "https://v.org/", "speed": "velocity"}, "speed", "https://v.org/velocity"),
        ({"@vocab": "https://v.org/"}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"speed": None}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"speed": {"@id": None}}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"speed": {"@reverse": "https://e.org/s"}}, "speed", DEFAULT_VOCABULARY + "speed"),
        ({"kind": "@type"}, "kind", "@type"),
        ({"kind": "type"}, "kind", "@type"),
        ({"kind": "@value"}, "kind", DEFAULT_VOCABULARY + "kind"),
        ({"@base": "https://base.org/", "speed": "s"}, "speed", DEFAULT_VOCABULARY + "s"),
        # A prefix is a simple term that ends like one, or says that it is one (JSON-LD 1.1 API §4.2.2).
        ({"e": "https://e.org/v"}, "e:x", "e:x"),
        ({"e": {"@id": "https://e.org/"}}, "e:x", "e:x"),
        ({"e": {"@id": "https://e.org/v-", "@prefix": True}}, "e:x", "https://e.org/v-x"),
        ({"http": "https://e.org/"}, "http://x/y", "http://x/y"),
        ({"e": "https://e.org/"}, "_:e", "_:e"),
    ],
)
def test_name_means(local: Any, name: str, iri: str) -> None:
    assert compiled(local).expand(name) == iri


@pytest.mark.parametrize(
    ("local", "iri", "name"),
    [
        ({"Vehicle": "https://e.org/V"}, "https://e.org/V", "Vehicle"),
        ({"e": "https://e.org/"}, "https://e.org/V", "e:V"),
        ({"e": "https://e.org/", "ev": "https://e.org/v/"}, "https://e.org/v/x", "ev:x"),
        ({"longer": "https://e.org/V", "short": "https://e.org/V"}, "https://e.org/V", "short"),
        ({"bb": "https://e.org/V", "aa": "https://e.org/V"}, "https://e.org/V", "aa"),
        ({"pos": "ngsi-ld:location"}, "https://uri.etsi.org/ngsi-ld/location", "location"),
        # The rest after the default vocabulary means something else here, or would be read as something else.
        ({"speed": "https://e.org/s"}, DEFAULT_VOCABULARY + "speed", "ngsi-ld:default-context/speed"),
        ({}, DEFAULT_VOCABULARY + "urn:x", "ngsi-ld:default-context/urn:x"),
        ({"e": "https://e.org/"}, "https://e.org/", "e"),
        ({"e": "https://e.org/"}, "https://e.org", "https://e.org"),
        ({"e": "https://e.org/"}, "https://e.org///x", "https://e.org///x"),
        ({}, "https://unknown.example/x", "https://unknown.example/x"),
    ],
)
def test_iri_is_called(local: Any, iri: str, name: str) -> None:
    context = compiled(local)
    assert context.compact(iri) == name
    assert context.expand(name) == iri


def test_last_definition_counts_in_a_list() -> None:
    context = compiled([{"x": "https://e.org/1", "y": "https://e.org/y"}, {"x": "https://e.org/2"}])
    assert (context.expand("x"), context.expand("y")) == ("https://e.org/2", "https://e.org/y")


def test_null_forgets_what_came_before_it() -> None:
    context = compiled([{"x": "https://e.org/1"}, None, {"y": "https://e.org/y"}])
    assert (context.expand("x"), context.expand("y")) == (DEFAULT_VOCABULARY + "x", "https://e.org/y")


def test_documents_name_each_other_relative_to_themselves() -> None:
    context = compile_context(A, reading({A: ["b.jsonld"], "https://a.example/b.jsonld": {"x": "https://e.org/x"}}))
    assert context.expand("x") == "https://e.org/x"
    assert context.urls == {A, "https://a.example/b.jsonld"}


def test_import_lies_under_what_imports_it() -> None:
    context = compiled({"@import": A, "x": "https://e.org/2"}, a={"x": "https://e.org/1", "y": "https://e.org/y"})
    assert (context.expand("x"), context.expand("y")) == ("https://e.org/2", "https://e.org/y")


def test_later_context_builds_on_prefixes_of_an_earlier_one() -> None:
    assert compiled([A, {"x": "e:x"}], a={"e": "https://e.org/"}).expand("x") == "https://e.org/x"


@pytest.mark.parametrize(
    "value",
    [
        5,
        True,
        [[]],
        [[{"x": "https://e.org/x"}]],
        "",
        "relative.jsonld",
        "/ngsi-ld/v1/jsonldContexts/x",
        "urn:x:y",
        "ftp://e.org/x",
        "http://",
        "http://[::1/x",
        "https://e.org/a b",
        {"x": 5},
        {"x": ["https://e.org/x"]},
        {"x": {"@id": 5}},
        {"x": {"@id": "https://e.org/x", "@type": 5}},
        {"x": {"@id": "https://e.org/x", "@container": "@box"}},
        {"x": {"@id": "https://e.org/x", "@prefix": "yes"}},
        {"x": {"@id": "https://e.org/x", "unknown": 1}},
        {"x": {"@id": "https://e.org/x", "@context": {"speed": "https://e.org/hidden"}}},
        {"": "https://e.org/x"},
        {"@id": "https://e.org/x"},
        {"@version": 1.0},
        {"@vocab": 5},
        {"@import": 5},
        {"x": "x:y"},
        {"x": "y:1", "y": "x:2"},
        {"a:b": "https://e.org/x"},
        {"x": "https://e.org/" + "x" * 3_000},
    ],
)
def test_what_is_no_context_is_refused(value: Any) -> None:
    with pytest.raises(ContextIsInvalid):
        compiled(value)


def test_loop_of_documents_is_refused() -> None:
    with pytest.raises(ContextIsInvalid, match="contains itself"):
        compiled(A, a=[B], b=[{}, C], c=[A])
    with pytest.raises(ContextIsInvalid, match="contains itself"):
        compiled(A, a=[A])


def test_document_without_context_is_refused() -> None:
    from sanpo.broker.contexts.compiling import Document

    for content in ([], {"x": 1}, None, "text"):
        with pytest.raises(ContextIsInvalid, match="@context"):
            compile_context(A, lambda _, content=content: Document(content))


def chain(length: int) -> dict[str, Any]:
    return {f"https://e.org/{n}": [f"https://e.org/{n + 1}"] for n in range(length)}


def test_chain_of_documents_is_read_to_a_depth() -> None:
    shallow = {**chain(DEEPEST - 1), f"https://e.org/{DEEPEST - 1}": {"x": "https://e.org/x"}}
    assert compile_context("https://e.org/0", reading(shallow)).expand("x") == "https://e.org/x"
    with pytest.raises(ContextIsInvalid, match="deeper"):
        compile_context("https://e.org/0", reading(chain(10_000)))


def test_documents_that_multiply_are_read_so_often_and_no_more() -> None:
    asked: list[str] = []
    doubling = {f"https://e.org/{n}": [f"https://e.org/{n + 1}"] * 8 for n in range(DEEPEST)}

    def load(url: str) -> Any:
        asked.append(url)
        return reading(doubling)(url)

    with pytest.raises(ContextIsInvalid):
        compile_context("https://e.org/0", load)
    assert len(asked) <= MOST_DOCUMENTS


BOMBS: dict[str, Any] = {
    "prefix_on_prefix": {f"t{n}": f"t{n - 1}:x/" if n else "https://e.org/" for n in range(50_000)},
    "prefix_on_prefix_backwards": {f"t{n}": f"t{n - 1}:x/" if n else "https://e.org/" for n in reversed(range(50_000))},
    "long_prefix_many_terms": {"p": "https://e.org/" + "x" * 2_000 + "/", **{f"t{n}": f"p:{n}" for n in range(60_000)}},
    "many_terms": {f"t{n}": "https://e.org/x" for n in range(250_000)},
    "long_list": [{}] * 5_000,
}


@pytest.mark.parametrize("name", sorted(BOMBS))
def test_bomb_is_refused_soon(name: str) -> None:
    begun = time.process_time()
    with pytest.raises(ContextIsInvalid):
        compiled(BOMBS[name])
    assert time.process_time() - begun < 3


def test_names_of_askers_own_invention_do_not_fill_the_memory() -> None:
    context = compiled({"x": "https://e.org/x"})
    for number in range(20_000):
        assert context.expand(f"n{number}") == f"{DEFAULT_VOCABULARY}n{number}"
        assert context.compact(f"{DEFAULT_VOCABULARY}n{number}") == f"n{number}"
    assert len(context._expanded) < 6_000
    assert len(context._compacted) < 6_000
    assert context.compact(context.expand("x")) == "x"
