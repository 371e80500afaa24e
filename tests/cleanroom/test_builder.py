"""The builder: every control goes to the question and back, forbidden choices are shown with their reason, and what no
control could have sent is refused in words."""

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.cleanroom import parse_sql, print_sql
from sanpo.cleanroom.errors import FunctionIsNotInRule
from sanpo.consent.gate import QuestionIsWiderThanAgreement
from sanpo.ground.csrf import csrf_token
from sanpo.lake import import_open
from sanpo.lake.opendata import descriptor_from
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.cleanroom.cities import BY_AREA, Metered, Walk
from tests.cleanroom.form_reading import controls, options, sql_of, told
from tests.cleanroom.test_preview import with_rule
from tests.lake.open_data import column
from tests.world import OPERATOR

Http = TestClient[Any]
BUILDER = "/cleanroom/builder"
RULE = {
    "join_keys": ["hour", "day", "area"],
    "functions": ["count", "sum", "avg", "quantile", "correlation", "max"],
    "clamps": [{"column": "energy_wh", "low": 0, "high": 900}],
    "privacy": {"epsilon_milli": 5000, "days": 30, "contribution_rows": 8},
}
WEATHER = {
    "name": "open.weather",
    "text": {"ja": "気温", "en": "Temperature"},
    "licence": "CC-BY-4.0",
    "source": {"publisher": "三方市", "url": "https://example.jp/weather", "retrieved_day": "2026-03-31"},
    "time_column": "observed_at",
    "local_column": "observed_local",
    "unique": ["hour"],
    "file": {"timezone": "Asia/Tokyo"},
    "columns": [
        column("observed_at", "timestamp", "time", format="%Y-%m-%d %H:%M"),
        column("observed_local", "timestamp", "time"),
        column("temperature_c", "float64", "measure", unit="°C"),
    ],
    "keys": [
        {"name": "hour", "kind": "time", "column": "observed_at", "unit": "hour"},
        {"name": "day", "kind": "time", "column": "observed_at", "unit": "day"},
    ],
}


@pytest.fixture(scope="module")
def weather(metered: Metered, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Public data that questions can be joined with."""
    file: Path = tmp_path_factory.mktemp("weather") / "weather.csv"
    lines = [f"2026-03-{day:02} {hour:02}:00,{hour / 2}" for day in range(1, 6) for hour in range(24)]
    file.write_text("\n".join(["observed_at,temperature_c", *lines, ""]), encoding="utf-8")
    import_open(metered.city, OPERATOR, descriptor_from(WEATHER), file)


@pytest.fixture
def walk(metered: Metered, weather: None) -> Walk:
    """An agreement whose rule knows joins, clamps and differential privacy."""
    made = with_rule(metered.walk(), **RULE)
    made.give(*range(24))
    return made


def browser_of(walk: Walk, client: Callable[[], Http]) -> Http:
    """The browser of the organisation's analyst."""
    made = client()
    staff_id = walk.world.staff(walk.organisation, "analyst").staff_id
    cookie = sign_in_with_link(walk.city, make_sign_in_link(walk.city, OPERATOR, staff_id).token).token
    made.cookies.set("sanpo", cookie, domain="testserver.local")
    made.headers["x-csrf-token"] = csrf_token(walk.city.keys, cookie)
    return made


@pytest.fixture
def http(walk: Walk, client: Callable[[], Http]) -> Http:
    return browser_of(walk, client)


def opened(http: Http, walk: Walk, sql: str, **more: str) -> str:
    """The builder's page for this SQL."""
    page = http.post(BUILDER, data={"agreement": walk.agreement.agreement_id, "sql": sql, **more})
    assert page.status_code == 200, page.text
    return page.text


def sent(http: Http, page: str, changes: dict[str, str] | None = None) -> str:
    """The page after the form was sent, with these fields changed or added."""
    answer = http.post(BUILDER, data={**controls(page), **(changes or {})})
    assert answer.status_code == 200, answer.text
    return answer.text


ROUND_TRIPS = [
    "select count(*) from energy.readings",
    "select area, dwelling_type, count(*) as n, count(distinct subject_no) as people from energy.readings group by all",
    "select hour(start_at), sum(energy_wh), avg(energy_wh) as mean from energy.readings group by all",
    "select date_trunc('month', start_at) as m, weekday(start_at), max(energy_wh) from energy.readings group by all",
    "select band(occupants, 1, 2.5, 4) as homes, count(*) from energy.readings group by all",
    "select quantile(energy_wh, 0.25) as q1, quantile(energy_wh, 0.75) as q3 from energy.readings",
    "select area, count(*), avg(energy_wh) from energy.readings group by cube (area) order by area desc, rows limit 7",
    "select count(*) from energy.readings where area = '中央'",
    "select count(*) from energy.readings where area in ('中央', '港', 'a, b', 'A''--') and start_at >= '2026-03-02'",
    "select count(*) from energy.readings where start_at between '2026-03-02' and '2026-03-03 12:00' and occupants != 3",
    "select count(*) from energy.readings where hour(start_at) < 7 and date(start_at) > '2026-03-01' and area is null",
    "select count(*) from energy.readings where date_trunc('week', start_at) <= '2026-03-02' and not (area is null)",
    "select avg(w.temperature_c), correlation(energy_wh, w.temperature_c) as r from energy.readings "
    "join open.weather as w using (hour)",
    "select w.warmest, count(*) from energy.readings join (select day, max(temperature_c) as warmest, count(*) as n "
    "from open.weather group by day) as w using (day) where w.n > 2 group by w.warmest",
]


@pytest.mark.parametrize("sql", ROUND_TRIPS)
def test_every_control_goes_to_the_question_and_back(http: Http, walk: Walk, sql: str) -> None:
    canonical = print_sql(parse_sql(sql))
    page = opened(http, walk, sql)
    assert sql_of(page) == canonical
    assert sql_of(sent(http, page)) == canonical
    assert controls(sent(http, page)) == controls(page)


def test_release_goes_to_the_form_and_back(http: Http, walk: Walk) -> None:
    sql = "select dwelling_type, sum(energy_wh), count(*) from energy.readings group by dwelling_type"
    release = '{"kind":"dp","epsilon_milli":1250,"bounds":[{"column":"energy_wh","low":-5,"high":900}]}'
    page = opened(http, walk, sql, release=release)
    form = controls(sent(http, page))
    assert (form["private"], form["epsilon"]) == ("1", "1.25")
    assert (form["bounds-0-column"], form["bounds-0-low"], form["bounds-0-high"]) == ("energy_wh", "-5", "900")
    assert "このまま尋ねられます" in page
    asked = http.post("/cleanroom", data=form)
    assert "差分プライバシーの答えです（イプシロン 1.25" in asked.text
    assert controls(asked.text, "")["release"] == release
    assert "±" in asked.text
    assert "&lt;10" not in asked.text


def test_question_that_the_form_cannot_ask_is_left_to_sql(http: Http, walk: Walk) -> None:
    sql = "select count(*) from energy.readings where area = 'x' or area = 'y'"
    page = http.post(BUILDER, data={"agreement": walk.agreement.agreement_id, "sql": sql})
    assert page.status_code == 422
    assert "この質問は開けませんでした" in page.text
    refused = http.post(BUILDER, data={"agreement": walk.agreement.agreement_id, "sql": "select <b>"})
    assert refused.status_code == 400
    assert "<b>select" not in refused.text


def test_choice_that_breaks_a_rule_says_which_and_what_would_pass(http: Http, walk: Walk) -> None:
    page = opened(http, walk, "select area, count(*) from energy.readings group by area")
    wrong = sent(
        http,
        page,
        {"dimensions-0-column": "heating_type", "measures-0-function": "min", "measures-0-column": "energy_wh"},
    )
    for place, refusal in {
        "dimensions-0": QuestionIsWiderThanAgreement(
            outside="heating_type", covered="energy.readings: start_at, energy_wh; energy.homes: area, dwelling_type"
        ),
        "measures-0": FunctionIsNotInRule(function="min", accepted="count, sum, avg, quantile, correlation, max"),
    }.items():
        assert told(wrong, place) == walk.city.words.text("ja", f"error.{refusal.code}", **refusal.fields)
    assert "直すところが2つあります" in wrong
    assert sql_of(wrong) == "select heating_type, min(energy_wh) from energy.readings group by heating_type"
    assert 'aria-invalid="true"' in wrong


def test_what_a_rule_forbids_is_shown_disabled_with_the_reason(http: Http, walk: Walk) -> None:
    page = sent(http, opened(http, walk, ROUND_TRIPS[1]), {"add": "joins"})
    splits = options(page, "dimensions-0-column")
    assert splits["area"]
    assert [splits[name] for name in ("meter_no", "heating_type", "occupants", "energy_wh")] == [False] * 4
    functions = options(page, "measures-0-function")
    assert functions["avg"]
    assert not functions["variance"]
    assert options(page, "dataset")["open.weather"] is False
    assert options(page, "joins-0-dataset")["open.weather"] is True
    text = html.unescape(re.sub("<[^>]*>", " ", page))
    for code, fields in (
        ("cleanroom.column_identifies_people", {"column": "meter_no"}),
        ("cleanroom.function_is_not_in_rule", {"function": "variance"}),
        ("cleanroom.dataset_is_not_personal", {"dataset": "open.weather"}),
    ):
        assert walk.city.words.text("ja", f"error.{code}", **fields).split("{")[0] in text


def test_public_data_to_join_shows_its_source_and_licence(http: Http, walk: Walk) -> None:
    page = opened(http, walk, ROUND_TRIPS[-2])
    assert "三方市 · CC-BY-4.0" in page
    assert 'href="https://example.jp/weather"' in page
    plain = with_rule(walk, functions=["count", "avg"])
    assert (
        options(sent(http, opened(http, plain, ROUND_TRIPS[0]), {"add": "joins"}), "joins-0-dataset")["open.weather"]
        is False
    )


def test_rows_are_added_and_taken_away_without_script(http: Http, walk: Walk) -> None:
    page = opened(http, walk, ROUND_TRIPS[1])
    more = sent(http, page, {"add": "filters"})
    assert re.search(r'id="filters-0-column"[^>]* autofocus', more)
    assert sql_of(more) == sql_of(page), "an empty row asks nothing"
    filled = sent(http, more, {"filters-0-column": "area", "filters-0-value": "港"})
    assert sql_of(filled).endswith("where area = '港' group by area, dwelling_type")
    joined = sent(
        http, sent(http, filled, {"add": "joins"}), {"joins-0-dataset": "open.weather", "joins-0-on-day": "1"}
    )
    inner = sent(http, joined, {"add": "joins-0-columns"})
    assert "joins-0-columns-0-function" in controls(inner)
    fewer = sent(http, sent(http, inner, {"remove": "dimensions-0"}), {"remove": "joins-0"})
    assert sql_of(fewer).startswith("select dwelling_type, count(*) as n")
    assert " join " not in sql_of(fewer)


@pytest.mark.parametrize(
    ("changes", "place", "lacks"),
    [
        ({"measures-0-function": "sum"}, "measures-0", "column"),
        ({"measures-0-function": "quantile", "measures-0-column": "energy_wh", "measures-0-level": "half"},
         "measures-0", "level"),
        ({"measures-0-function": "correlation", "measures-0-column": "energy_wh"}, "measures-0", "column"),
        ({"dimensions-0-way": "band", "dimensions-0-edges": "3, 2"}, "dimensions-0", "edges"),
        ({"dimensions-1-row": "1", "dimensions-1-column": "area"}, "dimensions-1", "twice"),
        ({"measures-1-function": "count"}, "measures-1", "name_twice"),
        ({"filters-0-column": "area"}, "filters-0", "value"),
        ({"filters-0-column": "start_at", "filters-0-op": "between", "filters-0-value": "2026-03-02"},
         "filters-0", "value"),
        ({"joins-0-dataset": "open.weather"}, "joins-0", "key"),
        ({"joins-0-name": "w"}, "joins-0", "dataset"),
        ({"limit": "many"}, "limit", "limit"),
        ({"private": "1", "epsilon": "lots"}, "epsilon", "epsilon"),
        ({"private": "1", "epsilon": "1", "bounds-0-column": "energy_wh", "bounds-0-low": "9", "bounds-0-high": "1"},
         "bounds-0", "ends"),
    ],
)  # fmt: skip
def test_row_that_is_not_whole_says_what_it_lacks(
    http: Http, walk: Walk, changes: dict[str, str], place: str, lacks: str
) -> None:
    page = sent(http, opened(http, walk, "select area, count(*) from energy.readings group by area"), changes)
    lack = walk.city.words.text("ja", f"cleanroom.gap.{lacks}")
    assert lack in page
    assert lack in told(page, place)
    early = http.post("/cleanroom", data=controls(page))
    assert early.status_code == 400
    assert "まだ尋ねていません" in early.text


HOSTILE = [
    {"dataset": "energy.readings; drop table people"},
    {"measures-0-function": "steal"},
    {"filters-0-op": "~"},
    {"filters-x-column": "area"},
    {"filters-0-column": "<script>alert(1)</script>"},
    {"filters-0-value": "a\x00b"},
    {"filters-0-value": "x" * 5000},
    {"filters": "1", "filters-0-row": "1"},
    {"dimensions-0": "area"},
    {"dimensions-0-secret": "area"},
    {"-".join(["joins", "0", "on", "a", "b", "c", "d"]): "1"},
    {"joins-0-on": "hour"},
    {"totals": "yes"},
    {**{f"filters-{at}-column": "area" for at in range(21)}},
    {"filters-9999-column": "area"},
    {"add": "people"},
    {"add": "filters-0"},
    {"remove": "filters-x"},
    {"remove": ""},
    {"add": "joins-7-columns"},
]


@pytest.mark.parametrize("changes", HOSTILE, ids=str)
def test_form_that_no_page_sends_is_refused_in_words(http: Http, walk: Walk, changes: dict[str, str]) -> None:
    form = {**controls(opened(http, walk, BY_AREA)), "filters-0-row": "1", **changes}
    answer = http.post(BUILDER, data=form)
    assert answer.status_code == 400
    assert "正しくありません" in answer.text
    assert "<script>alert" not in answer.text


def test_repeated_field_and_unknown_names_are_refused(http: Http, walk: Walk) -> None:
    form = controls(opened(http, walk, BY_AREA))
    body = "&".join(f"{name}={value}" for name, value in form.items() if value) + "&dataset=energy.homes"
    kind = {"content-type": "application/x-www-form-urlencoded"}
    assert http.post(BUILDER, content=body.encode(), headers=kind).status_code == 400
    assert http.post(BUILDER, data={**form, "dataset": "open.nothing"}).status_code == 404
    other = walk.world.agreement(walk.world.company, title={"ja": "よその契約", "en": "Another's"})
    assert http.post(BUILDER, data={**form, "agreement": other.agreement_id}).status_code == 404
    assert http.get(BUILDER, params={"agreement": other.agreement_id}).status_code == 200, "begins with one's own"


def test_built_question_is_asked_at_the_desk(http: Http, walk: Walk) -> None:
    form = controls(sent(http, opened(http, walk, BY_AREA), {"totals": "1"}))
    answered = http.post("/cleanroom", data=form)
    assert answered.status_code == 200
    assert "24人のデータから集計しました" in answered.text
    assert answered.text.count("<b>合計</b>") == 1
    assert "group by cube (area)" in answered.text
    refused = http.post("/cleanroom", data={**form, "dimensions-0-column": "heating_type"})
    assert refused.status_code == 403
    assert "お答えできませんでした" in refused.text


def test_answer_says_that_it_repeats_an_earlier_state(http: Http, walk: Walk) -> None:
    desk = {"agreement": walk.agreement.agreement_id, "sql": "select count(*) from energy.readings where area = '中央'"}
    first = http.post("/cleanroom", data=desk).text
    entry = re.search(r"<code>(ent_\w+)</code>", first)
    assert entry is not None
    walk.give(24, 26)
    again = http.post("/cleanroom", data=desk).text
    assert "前の答えと同じ状態でお答えしました" in again
    assert "10人に満たない人たち" in again
    assert entry[1] in again


def test_builder_begins_with_an_example_and_is_for_staff_only(
    http: Http, walk: Walk, client: Callable[[], Http]
) -> None:
    page = http.get(BUILDER, params={"agreement": walk.agreement.agreement_id})
    assert sql_of(page.text).startswith("select area, dwelling_type, count(*)")
    emptied = sent(http, page.text, {"remove": "measures-1"})
    assert sql_of(sent(http, emptied, {"example": "1"})) == sql_of(page.text)
    assert BUILDER in http.get("/cleanroom").text
    assert client().get(BUILDER).status_code == 401
