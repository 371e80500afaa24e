"""Names and IRIs over random contexts: what `compact` calls an IRI is always read back as that IRI (§5.5.7)."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sanpo.broker.contexts import CORE, DEFAULT_VOCABULARY, Context, ContextIsInvalid
from sanpo.broker.contexts.compiling import compile_context
from sanpo.broker.contexts.core_context import CORE_TERMS
from tests.broker.contexts.documents import reading

BASES = ("https://e.org/", "https://e.org/v#", "https://e.org/v", "urn:x:", DEFAULT_VOCABULARY, "ngsi-ld:", "p:", "q:")
names = st.one_of(
    st.sampled_from(["a", "b", "p", "q", "speed", "Vehicle", "location", "status", "x-y", "名", "p:x", "ngsi-ld"]),
    st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=6),
)
iris = st.builds(str.__add__, st.sampled_from(BASES), st.text("abc/#:@", max_size=4))
definitions = st.one_of(
    iris,
    st.none(),
    st.fixed_dictionaries(
        {}, optional={"@id": iris, "@prefix": st.booleans(), "@type": st.sampled_from(["@id", "p:t"])}
    ),
)
locals_ = st.dictionaries(names, definitions, max_size=8)


def compiled(value: Any) -> Context | None:
    try:
        return compile_context(value, reading({}))
    except ContextIsInvalid:
        return None


@given(st.lists(locals_, max_size=3), st.lists(st.one_of(names, iris), max_size=12))
def test_compacted_name_expands_to_the_same_iri(value: Any, asked: list[str]) -> None:
    context = compiled(value)
    if context is None:
        return
    for name in [*asked, *context.terms]:
        iri = context.expand(name)
        short = context.compact(iri)
        assert context.expand(short) == iri
        assert context.compact(context.expand(short)) == short


@given(locals_)
def test_term_is_its_own_short_name_where_no_other_has_its_iri(local: Any) -> None:
    context = compiled(local)
    if context is None:
        return
    iris_of = [term.iri for term in context.terms.values()]
    for name, term in context.terms.items():
        if iris_of.count(term.iri) == 1:
            assert context.compact(context.expand(name)) == name


@given(st.lists(locals_, max_size=3))
def test_no_context_moves_the_core(value: Any) -> None:
    context = compiled(value)
    if context is None:
        return
    for term in CORE_TERMS:
        assert context.expand(term) == CORE.expand(term)
        assert context.compact(CORE.expand(term)) == term


@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.floats(), st.text()),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(
                st.one_of(st.text(), st.sampled_from(["@id", "@vocab", "@import", "x"])), inner, max_size=4
            ),
        ),
        max_leaves=12,
    )
)
def test_any_json_is_a_context_or_is_refused(value: Any) -> None:
    try:
        compile_context(value, reading({}))
    except (ContextIsInvalid, KeyError):  # KeyError: a URL that the dictionary of documents does not have
        return
