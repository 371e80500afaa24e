"""The builder's form without a page: a question and its form say the same, and so do a value and its text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanpo.cleanroom.builder.building import build
from sanpo.cleanroom.builder.opening import open_sheet
from sanpo.cleanroom.builder.texts import band_edges, line, listed, literal, thousandths
from sanpo.cleanroom.model import AllOf, Comparison, Filter, Question, literals_of
from tests.cleanroom.questions import EXAMPLES, fitting_questions
from tests.cleanroom.worlds import scope_for


def is_flat(filter: Filter | None) -> bool:
    parts = filter.parts if isinstance(filter, AllOf) else () if filter is None else (filter,)
    return all(isinstance(part, Comparison) and part.term.band is None for part in parts)


@settings(max_examples=EXAMPLES)
@given(fitting_questions())
def test_form_asks_exactly_the_question_or_is_not_there(question: Question) -> None:
    texts = [value for _, value in literals_of(question.filter) if isinstance(value, str)]
    sheet = open_sheet(question, "agr_1", scope_for)
    if is_flat(question.filter) and all(text.strip() == text != "" for text in texts):
        assert sheet is not None, "nothing in it that a form could not hold"
    if sheet is not None:
        assert build(sheet, scope_for).question == question


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1), min_size=1))
def test_values_in_one_line_are_read_as_they_were_written(values: list[str]) -> None:
    assert listed(line(values)) == values


@pytest.mark.parametrize(
    ("text", "edges"), [("1, 2.5,4", (1, 2.5, 4)), ("1、2", (1, 2)), ("2, 1", None), ("a", None), ("", None)]
)
def test_edges_are_numbers_in_order(text: str, edges: tuple[float, ...] | None) -> None:
    assert band_edges(text) == edges


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("5", "int", 5), ("５", "int", 5), ("5", "text", "5"), ("2.5", "float", 2.5), ("x", "int", "x"),
     ("1e999", "float", "1e999"), ("true", "bool", True), ("9" * 30, "int", "9" * 30)],
)  # fmt: skip
def test_text_becomes_a_literal_of_its_type_or_stays(text: str, kind: str, value: object) -> None:
    assert literal(text, kind) == value


@pytest.mark.parametrize(
    ("text", "found"), [("0.5", 500), ("0.0005", None), ("100", 100_000), ("101", None), ("nan", None), ("-1", None)]
)
def test_epsilon_is_read_in_thousandths(text: str, found: int | None) -> None:
    assert thousandths(text, most=100_000) == found
