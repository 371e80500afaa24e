"""Previews: in the words of the refusal, every problem at its place, and nothing read or recorded."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from litestar.testing import TestClient
from msgspec import structs

from sanpo.cleanroom import parse_sql, print_sql
from sanpo.cleanroom.errors import AgreementIsNotNamed, QueryBudgetIsSpent
from sanpo.cleanroom.model import Bound, Dimension, Measure, Private, Question
from sanpo.cleanroom.preview import Preview, check_question
from sanpo.consent.publication import close_agreement
from sanpo.ground.actors import Actor, Anonymous, System
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError, NotFound, NotSignedIn
from sanpo.people import SecretProof, create_client, issue_token
from tests.cleanroom.cities import BY_AREA, Walk
from tests.consent.drafts import draft_data
from tests.world import OPERATOR

Http = TestClient[Any]
PREVIEWS = "/api/cleanroom/previews"
READINGS = "from energy.readings"
REFUSED = [
    (f"select heating_type, count(*) {READINGS} group by heating_type", "$.dimensions[0]"),
    (f"select meter_no, count(*) {READINGS} group by meter_no", "$.dimensions[0]"),
    (f"select start_at, count(*) {READINGS} group by start_at", "$.dimensions[0]"),
    (f"select hour(area) as h, count(*) {READINGS} group by h", "$.dimensions[0]"),
    (f"select energy_wh, count(*) {READINGS} group by energy_wh", "$.dimensions[0]"),
    (f"select nothing, count(*) {READINGS} group by nothing", "$.dimensions[0]"),
    (f"select max(energy_wh) {READINGS}", "$.measures[0]"),
    (f"select count(*), avg(area) {READINGS}", "$.measures[1]"),
    (f"select quantile(energy_wh, 0.01) {READINGS}", "$.measures[0]"),
    (f"select count(*) {READINGS} where occupants > 2", "$.filter"),
    (f"select count(*) {READINGS} where area = 5 and start_at > 'soon'", "$.filter.parts[0]"),
    (f"select count(*) {READINGS} join energy.homes using (subject)", "$.joins[0]"),
    (f"select count(*) {READINGS} join energy.homes using (street)", "$.joins[0]"),
    ("select count(*) from energy.homes", None),
    ("select count(*) from energy.nothing", "$.dataset"),
]


def preview(walk: Walk, question: str | Question, actor: Actor | None = None) -> Preview:
    asked = parse_sql(question) if isinstance(question, str) else question
    return check_question(walk.city, actor or walk.asker, walk.agreement.agreement_id, asked)


def with_rule(walk: Walk, **parts: Any) -> Walk:
    """The same walk under an agreement of its own, whose rule has these parts besides."""
    rule = {**draft_data()["rule"], **parts}
    return Walk(
        walk.city,
        walk.world,
        walk.people,
        walk.organisation,
        walk.world.agreement(walk.organisation, rule=rule, title={"ja": f"契約 {parts}", "en": f"Agreement {parts}"}),
    )


@pytest.mark.parametrize(("sql", "where"), REFUSED)
def test_preview_says_what_the_refusal_would_say(walk: Walk, sql: str, where: str | None) -> None:
    found = preview(walk, sql)
    if where is None:
        assert found.problems == ()
        return
    with pytest.raises(DomainError) as refused:
        walk.ask(sql)
    first = found.problems[0]
    assert (first.where, first.error.code, first.error.fields) == (where, refused.value.code, refused.value.fields)


def test_question_without_problems_can_be_asked(walk: Walk) -> None:
    walk.give(*range(24))
    found = preview(walk, BY_AREA)
    assert (found.problems, found.minimum) == ((), 10)
    assert walk.ask(found.sql).question == found.sql


def test_preview_finds_every_problem_with_its_place(walk: Walk) -> None:
    sql = (
        "select occupants, area, min(energy_wh), count(*), avg(area), quantile(energy_wh, 0.99) from energy.readings "
        "where start_at > 5 and area = 'x' and heating_type = 'gas' group by occupants, area"
    )
    assert [(each.where, each.error.code.split(".")[1]) for each in preview(walk, sql).problems] == [
        ("$.dimensions[0]", "question_is_wider_than_agreement"),
        ("$.measures[0]", "function_is_not_in_rule"),
        ("$.measures[2]", "type_does_not_fit"),
        ("$.measures[3]", "quantile_is_extreme"),
        ("$.filter.parts[0]", "type_does_not_fit"),
        ("$.filter.parts[2]", "question_is_wider_than_agreement"),
    ]


def test_columns_of_a_join_that_cannot_be_made_are_not_blamed(walk: Walk) -> None:
    found = preview(walk, "select avg(h.occupants) from energy.readings join energy.homes as h using (street)")
    assert [(each.where, each.error.code) for each in found.problems] == [("$.joins[0]", "cleanroom.key_is_unknown")]


def test_preview_looks_at_the_shape_once_the_parts_are_right(walk: Walk) -> None:
    twice = Question(dataset="energy.readings", measures=(Measure(function="count"), Measure(function="count")))
    assert [(each.where, each.error.code) for each in preview(walk, twice).problems] == [
        ("$", "cleanroom.question_is_malformed")
    ]


def test_preview_tells_that_a_question_would_read_too_much(walk: Walk) -> None:
    frugal = replace(walk.city, settings=replace(walk.city.settings, question_most_rows=100))
    found = check_question(frugal, walk.asker, walk.agreement.agreement_id, parse_sql(BY_AREA))
    assert [(each.where, each.error.code) for each in found.problems] == [("$", "cleanroom.question_scans_too_much")]


def test_preview_of_a_closed_agreement_says_so_and_still_shows_the_sql(walk: Walk) -> None:
    close_agreement(walk.city, walk.world.officer, walk.agreement.agreement_id, note="end")
    found = preview(walk, BY_AREA)
    assert [(each.where, each.error.code) for each in found.problems] == [
        ("agreement", "consent.agreement_is_not_in_force")
    ]
    assert found.sql == print_sql(parse_sql(BY_AREA))


def test_preview_shows_what_is_left_and_that_nothing_is(walk: Walk) -> None:
    budgeted = with_rule(walk, budget={"questions": 1, "days": 7})
    budgeted.give(*range(24))
    before = preview(budgeted, BY_AREA)
    assert before.problems == ()
    assert before.left.questions is not None
    assert before.left.questions.left == 1
    budgeted.ask(BY_AREA)
    after = preview(budgeted, BY_AREA)
    assert [(each.where, type(each.error)) for each in after.problems] == [("agreement", QueryBudgetIsSpent)]


def test_preview_of_a_private_release_names_measure_dimension_ends_and_epsilon(walk: Walk) -> None:
    private = with_rule(walk, privacy={"epsilon_milli": 1000, "days": 30, "contribution_rows": 4})
    question = parse_sql("select area, quantile(energy_wh, 0.5), sum(energy_wh) from energy.readings group by area")
    asked = structs.replace(question, release=Private(epsilon_milli=1000))
    assert [(each.where, each.error.code.split(".")[1]) for each in preview(private, asked).problems] == [
        ("$.measures[0]", "function_is_not_private"),
        ("$.release.bounds", "ends_are_missing"),
        ("$.dimensions[0]", "domain_is_missing"),
    ]
    bounds = (Bound("energy_wh", 0, 500),)
    whole = structs.replace(
        question,
        dimensions=(Dimension(column="dwelling_type"),),
        measures=question.measures[1:],
        release=Private(epsilon_milli=1000, bounds=bounds),
    )
    fine = preview(private, whole)
    assert (fine.problems, fine.minimum) == ((), None)
    too_much = structs.replace(whole, release=Private(epsilon_milli=2000, bounds=bounds))
    assert [(each.where, each.error.code) for each in preview(private, too_much).problems] == [
        ("$.release", "cleanroom.epsilon_is_out_of_range")
    ]
    assert [each.error.code for each in preview(walk, whole).problems] == ["cleanroom.privacy_is_not_in_rule"]


def test_preview_reads_no_row_and_records_nothing(walk: Walk) -> None:
    walk.give(*range(24))
    everything = f"{BY_AREA} order by area limit 5"
    before = rows_of_all_tables(walk.city)
    files = sorted((walk.city.settings.home / "lake").rglob("*.parquet"))
    assert files
    hidden = [file.rename(file.with_suffix(".away")) for file in files]
    try:
        assert preview(walk, everything).problems == ()
        assert preview(walk, REFUSED[0][0]).problems
        with pytest.raises(DomainError) as unread:
            walk.ask(everything)
        assert unread.value.code in ("lake.file_is_broken", "cleanroom.engine_is_unavailable")
    finally:
        for file in hidden:
            file.rename(file.with_suffix(".parquet"))
    assert rows_of_all_tables(walk.city) == before
    assert walk.ask(everything).subjects == 24


def rows_of_all_tables(city: City) -> dict[str, int]:
    """How many rows each table of the city has."""
    with psycopg.connect(city.settings.database_owner_url) as conn:
        names = conn.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname !~ '^(pg_|information_schema)'"
        ).fetchall()
        return {name: conn.execute(f"select count(*) from {name}").fetchone()[0] for (name,) in names}  # type: ignore


@pytest.mark.parametrize(
    ("who", "error"),
    [
        (lambda walk: Anonymous(), NotSignedIn),
        (lambda walk: walk.world.client(walk.world.company), NotFound),
        (lambda walk: walk.people[0], NotFound),
        (lambda walk: System("jobs"), NotFound),
    ],
)
def test_preview_is_for_whoever_may_ask(walk: Walk, who: Callable[[Walk], Actor], error: type[DomainError]) -> None:
    with pytest.raises(error):
        preview(walk, BY_AREA, who(walk))


def test_preview_needs_an_agreement(walk: Walk) -> None:
    with pytest.raises(AgreementIsNotNamed):
        check_question(walk.city, OPERATOR, None, parse_sql(BY_AREA))
    assert check_question(walk.city, walk.asker, None, parse_sql(BY_AREA)).problems == ()


@pytest.fixture
def program(walk: Walk, client: Callable[[], Http]) -> Http:
    """The organisation's program with a token that names the agreement."""
    made = create_client(walk.city, OPERATOR, walk.organisation.organisation_id, name="lab")
    scope = f"agreement:{walk.agreement.agreement_id}"
    http = client()
    http.headers["authorization"] = (
        f"Bearer {issue_token(walk.city, SecretProof(made.client_id, made.secret), scope=scope).token}"
    )
    http.headers["accept-language"] = "en"
    return http


def test_api_previews_sql_and_json_alike_in_the_readers_language(program: Http) -> None:
    by_sql = program.post(PREVIEWS, json={"sql": "select max(energy_wh) from energy.readings"})
    model = {"dataset": "energy.readings", "measures": [{"function": "max", "column": "energy_wh"}]}
    assert by_sql.status_code == 200
    assert by_sql.json() == program.post(PREVIEWS, json={"question": model}).json()
    assert by_sql.headers["cache-control"] == "no-store"
    assert by_sql.json() == {
        "sql": "select max(energy_wh) from energy.readings",
        "problems": [
            {
                "where": "$.measures[0]",
                "code": "cleanroom.function_is_not_in_rule",
                "kind": "refused",
                "detail": "This agreement does not allow “max”. Allowed: count, sum, avg, quantile",
                "fields": {"function": "max", "accepted": "count, sum, avg, quantile"},
            }
        ],
        "minimum": 10,
        "left": {"questions": None, "epsilon_milli": None},
    }


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"sql": BY_AREA, "question": {}}, 400),
        ({"sql": "drop table people"}, 400),
        ({"question": {"dataset": "energy.readings", "measures": [{"function": "steal"}]}}, 400),
        ({"sql": BY_AREA, "release": {"kind": "dp", "epsilon_milli": 0}}, 400),
        ({"sql": BY_AREA, "agreement_id": "agr_guess"}, 404),
        ({"sql": BY_AREA, "release": {"kind": "dp", "epsilon_milli": 500}}, 200),
    ],
)
def test_api_refuses_what_is_no_question(program: Http, body: Any, status: int) -> None:
    assert program.post(PREVIEWS, json=body).status_code == status


def test_api_is_closed_to_nobody_in_particular(walk: Walk, client: Callable[[], Http]) -> None:
    body = {"sql": BY_AREA, "agreement_id": walk.agreement.agreement_id}
    assert client().post(PREVIEWS, json=body).status_code == 401
