"""The multiplication's page: the form and what it asks say the same, and the result is said in plain words."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.cleanroom.builder.multiplication import make_multiplication, open_multiplication
from sanpo.cleanroom.builder.multiplication_view import EXAMPLE, bar_of, first_sheet
from sanpo.cleanroom.increments import Increment
from sanpo.cleanroom.multiplications import Multiplication, read_multiplication
from sanpo.ground.city import City
from tests.cleanroom.cities import Walk
from tests.cleanroom.form_reading import controls, options, told
from tests.cleanroom.test_builder import browser_of
from tests.cleanroom.test_multiplications import yaizu
from tests.cleanroom.worlds import HOMES, READINGS, scope_for
from tests.conftest import ROOT

__all__ = ["yaizu"]
Http = TestClient[Any]
PAGE = "/cleanroom/multiplications"


@pytest.fixture
def http(walk: Walk, client: Callable[[], Http]) -> Http:
    """The browser of an organisation's analyst."""
    return browser_of(walk, client)


def of_homes(**filters: Any) -> Multiplication:
    """About homes, which tests without open data know too."""
    part = {"dataset": "energy.homes", "agreement_id": "agr_1"}
    whole = {"unit": "area", "target": {**part, **filters}, "base": [part], "added": [{**part, **SUM}]}
    return read_multiplication(json.dumps(whole).encode())


SUM = {"function": "sum", "column": "occupants"}


@pytest.mark.parametrize(
    "filter",
    [
        None,
        {"op": "=", "term": {"column": "solar"}, "value": True},
        {"op": "between", "term": {"column": "occupants"}, "low": 1, "high": 3},
        {"op": "in", "term": {"column": "area"}, "values": ["港", "中央"]},
        {"op": "not", "part": {"op": "is_null", "term": {"column": "area"}}},
        {"op": ">=", "term": {"column": "moved_in"}, "value": "2020-04-01"},
        {"op": "and", "parts": [
            {"op": ">=", "term": {"column": "moved_in"}, "value": "2020-01-01"},
            {"op": "<", "term": {"column": "moved_in"}, "value": "2021-01-01"},
        ]},
    ],
    ids=str,
)  # fmt: skip
def test_form_and_what_it_asks_say_the_same(filter: Any) -> None:
    whole = of_homes(filter=filter)
    sheet = open_multiplication(whole)
    assert sheet is not None
    assert make_multiplication(sheet, scope_for).asked == whole
    if filter is not None and filter["op"] == "and":
        assert (sheet.target.op, sheet.target.value) == ("year", "2020")


def test_filter_of_several_conditions_has_no_form() -> None:
    both = {"op": "or", "parts": [{"op": "is_null", "term": {"column": "area"}}] * 2}
    assert open_multiplication(of_homes(filter=both)) is None


def test_result_is_drawn_with_zero_inside_and_the_interval_around_the_gain() -> None:
    bar = bar_of(Increment("auc", 700, 79, 0.7, 0.72, 0.02, -0.01, 0.05, "none"))
    assert 5 == bar.low < bar.zero < bar.gain < bar.high == 95
    flat = bar_of(Increment("r2", 40, 5, 0.0, 0.0, 0.0, 0.0, 0.0, "none"))
    assert flat.zero == flat.gain == flat.low == flat.high


def test_page_measures_the_example_and_says_it_in_words(http: Http, yaizu: City) -> None:
    page = http.get(PAGE)
    form = controls(page.text)
    assert (form["target-dataset"], form["added-0-function"]) == ("open.yaizu_accidents", "sum")
    assert "焼津市 · CC-BY-4.0" in page.text
    answered = http.post(PAGE, data={**form, "measure": "1"})
    assert answered.status_code == 200
    for words in (
        "当たりやすく",
        "もとのデータだけ",
        "足したとき",
        "95%",
        "<dd>700</dd>",
        "伏せたため使わなかった場所",
        "CC-BY-4.0",
    ):
        assert words in answered.text
    assert "gain-interval is-gain" in answered.text
    assert controls(answered.text) == form, "the form stays as it was"


def test_page_says_plainly_that_nothing_was_gained(http: Http, yaizu: City) -> None:
    form = controls(http.get(PAGE).text)
    again = {name.replace("base-", "added-"): value for name, value in form.items() if name.startswith("base-")}
    kept = {name: value for name, value in form.items() if not name.startswith("added-")}
    same = http.post(PAGE, data={**kept, **again, "measure": "1"})
    assert "足しても、当たりやすさは変わりませんでした。" in same.text
    assert "0を含むため、上がったとは言えません。" in same.text
    english = http.post(PAGE, data={**kept, **again, "measure": "1"}, headers={"accept-language": "en"})
    assert "Adding it did not make the prediction better." in english.text


def test_example_of_the_page_is_that_of_the_guide() -> None:
    guide = (ROOT / "docs/how-to/multiply-data.md").read_text(encoding="utf-8")
    written = guide.split("```json\n", 1)[1].split("```")[0]
    assert read_multiplication(written.encode()) == EXAMPLE


def test_rows_come_and_go_and_other_datasets_are_disabled_with_the_reason(http: Http, yaizu: City) -> None:
    form = controls(http.get(PAGE).text)
    more = http.post(PAGE, data={**form, "add": "added"}).text
    assert re.search(r'id="added-1-dataset"[^>]* autofocus', more)
    assert options(more, "target-dataset")["energy.readings"] is False
    assert "mesh" in more
    fewer = controls(http.post(PAGE, data={**controls(more), "remove": "added-0"}).text)
    assert fewer["added-0-row"] == "1"
    assert "added-1-row" not in fewer
    by_area = controls(http.post(PAGE, data={**form, "unit": "area"}).text)
    assert by_area["unit"] == "area"


@pytest.mark.parametrize(
    ("changes", "place", "lacks"),
    [
        ({"target-dataset": ""}, "target", "dataset"),
        ({"target-dataset": "energy.homes"}, "target", "agreement"),
        ({"target-column": "happened_at", "target-op": "year", "target-value": "last"}, "target", "year"),
        ({"base-0-column": "happened_at", "base-0-op": "<", "base-0-value": ""}, "base-0", "value"),
        ({"added-0-function": "avg", "added-0-measured": ""}, "added-0", "column"),
        ({"added-0-dataset": "", "added-0-measured": ""}, "added", "part"),
        ({"above": "many"}, "above", "whole"),
    ],
)
def test_form_says_what_it_lacks(
    http: Http, walk: Walk, yaizu: City, changes: dict[str, str], place: str, lacks: str
) -> None:
    answer = http.post(PAGE, data={**controls(http.get(PAGE).text), **changes, "measure": "1"})
    assert answer.status_code == 400
    assert walk.city.words.text("ja", f"cleanroom.gap.{lacks}") in told(answer.text, place)
    assert "まだ測っていません" in answer.text


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"unit": "district"}, 400),
        ({"added-0-measured": "mesh_250m"}, 400),
        ({"above": "10000"}, 422),
        ({"target-dataset": "open.nothing"}, 404),
        ({"target-function": "steal"}, 400),
        ({"base-7-x": "1"}, 400),
        ({"add": "target"}, 400),
        ({"target-value": "<script>alert(1)</script>"}, 400),
    ],
)
def test_what_cannot_be_measured_is_refused_in_words(
    http: Http, yaizu: City, changes: dict[str, str], status: int
) -> None:
    form = {**controls(http.get(PAGE).text), **({} if "add" in changes else {"measure": "1"}), **changes}
    answer = http.post(PAGE, data=form)
    assert answer.status_code == status
    assert "{" not in answer.text.split("<main", 1)[1].split("</main>")[0]
    assert "<script>alert" not in answer.text


def test_form_without_the_examples_data_begins_empty() -> None:
    sheet = first_sheet([HOMES, READINGS])
    assert (sheet.unit, sheet.target.is_blank, len(sheet.base), len(sheet.added)) == ("area", True, 1, 1)
    assert make_multiplication(sheet, scope_for).asked is None


def test_page_is_for_staff_only(client: Callable[[], Http]) -> None:
    assert client().get(PAGE).status_code == 401
