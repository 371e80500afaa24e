"""The clean room over HTTP, in the browser without script, and on the command line."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.cleanroom import cli as commands
from sanpo.cleanroom.cli import cli
from sanpo.ground.actors import System
from sanpo.ground.cli import set_opener
from sanpo.ground.csrf import csrf_token
from sanpo.ground.errors import DomainError
from sanpo.people import (
    NewOrganisation,
    SecretProof,
    create_client,
    issue_token,
    make_sign_in_link,
    register_organisation,
)
from sanpo.people.sign_in import sign_in_with_link
from tests.cleanroom.cities import BY_AREA, BY_DWELLING, Metered, Walk

OPERATOR = System("operator")
Http = TestClient[Any]
QUESTIONS = "/api/cleanroom/questions"
MODEL = {
    "dataset": "energy.readings",
    "dimensions": [{"column": "area"}],
    "measures": [{"function": "count"}, {"function": "sum", "column": "energy_wh"}],
}


@pytest.fixture
def walk(metered: Metered) -> Walk:
    made = metered.walk()
    made.give(*range(24))
    return made


@pytest.fixture
def program(walk: Walk, client: Callable[[], Http]) -> Http:
    """The organisation's program with a token that names the agreement."""
    made = create_client(walk.city, OPERATOR, walk.organisation.organisation_id, name="lab")
    scope = f"agreement:{walk.agreement.agreement_id}"
    token = issue_token(walk.city, SecretProof(made.client_id, made.secret), scope=scope)
    http = client()
    http.headers["authorization"] = f"Bearer {token.token}"
    http.headers["accept-language"] = "en"
    return http


def browser(walk: Walk, client: Callable[[], Http], staff_id: str) -> Http:
    """A browser signed in as this holder."""
    http = client()
    cookie = sign_in_with_link(walk.city, make_sign_in_link(walk.city, OPERATOR, staff_id).token).token
    http.cookies.set("sanpo", cookie, domain="testserver.local")
    http.headers["x-csrf-token"] = csrf_token(walk.city.keys, cookie)
    return http


def test_api_answers_sql_and_json_alike(walk: Walk, program: Http) -> None:
    by_sql = program.post(QUESTIONS, json={"sql": BY_AREA})
    by_model = program.post(QUESTIONS, json={"question": MODEL, "agreement_id": walk.agreement.agreement_id})
    assert (by_sql.status_code, by_model.status_code) == (200, 200)
    body = by_sql.json()
    assert body["rows"] == by_model.json()["rows"]
    first = body["rows"][0]
    assert (first["values"], first["subjects"], first["suppressed"]) == (["中央", 96, 10656], 12, [])
    assert body["columns"][2] == {"name": "sum_energy_wh", "type": "int", "unit": "Wh", "role": "measure"}
    assert [each["side"] for each in body["returns"]] == ["giver", "city", "organisation"]
    assert "engine;dur=" in by_sql.headers["server-timing"]
    assert by_sql.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"sql": "drop table people"}, 400, "cleanroom.question_not_in_subset"),
        ({"sql": BY_AREA, "question": MODEL}, 400, "cleanroom.question_is_malformed"),
        ({}, 400, "cleanroom.question_is_malformed"),
        ({"question": {**MODEL, "limit": 0}}, 400, "ground.input_is_invalid"),
        ({"question": {**MODEL, "order_by": [{"name": "z"}]}}, 400, "cleanroom.question_is_malformed"),
        ({"question": {**MODEL, "filter": {"op": "~"}}}, 400, "ground.input_is_invalid"),
        ({"sql": BY_AREA, "agreement_id": "agr_guess"}, 404, "ground.id_is_malformed"),
        ({"sql": "select count(*) from energy.nothing"}, 404, "lake.dataset_is_unknown"),
        ({"sql": "select avg(occupants) from energy.homes"}, 403, "consent.question_is_wider_than_agreement"),
        ({"sql": BY_AREA + " limit 1 "}, 200, None),
        ({"sql": BY_AREA.replace(" group", " where area = '港' and start_at < '2020-01-01' group")}, 403,
         "cleanroom.too_few_subjects"),
    ],
)  # fmt: skip
def test_api_refuses_with_status_code_and_a_way_on(program: Http, body: Any, status: int, code: str | None) -> None:
    response = program.post(QUESTIONS, json=body)
    assert response.status_code == status
    if code is not None:
        problem = response.json()
        assert problem["code"] == code
        assert response.headers["content-type"].startswith("application/problem+json")
        assert "{" not in problem["detail"]


@pytest.mark.parametrize("depth", [13, 300, 900])
def test_api_refuses_a_question_that_is_nested_too_deep(program: Http, depth: int) -> None:
    inside = '{"op":"is_null","term":{"column":"area"}}'
    body = '{"question":{"dataset":"energy.readings","measures":[{"function":"count"}],"filter":%s}}'
    nested = body % ('{"op":"not","part":' * depth + inside + "}" * depth)
    response = program.post(QUESTIONS, content=nested, headers={"content-type": "application/json"})
    assert response.status_code == 400


def test_api_refuses_who_has_no_token_or_another_organisations(
    walk: Walk, program: Http, client: Callable[[], Http]
) -> None:
    body = {"sql": BY_AREA, "agreement_id": walk.agreement.agreement_id}
    assert client().post(QUESTIONS, json=body).status_code == 401
    company = create_client(walk.city, OPERATOR, walk.world.company.organisation_id, name="grid")
    program.headers["authorization"] = (
        f"Bearer {issue_token(walk.city, SecretProof(company.client_id, company.secret)).token}"
    )
    assert program.post(QUESTIONS, json=body).status_code == 404


def test_api_lists_what_can_be_asked_for_without_columns_that_identify(client: Callable[[], Http]) -> None:
    datasets = client().get("/api/cleanroom/datasets").json()
    readings = next(each for each in datasets if each["name"] == "energy.readings")
    columns = {column["name"]: column for column in readings["columns"]}
    assert {"start_at", "energy_wh", "area"} <= columns.keys()
    assert not {"subject_no", "meter_no", "start_local"} & columns.keys()
    assert columns["start_at"]["buckets"][:2] == ["hour", "half_hour"]
    assert columns["area"]["dataset"] == "energy.homes"


def test_openapi_describes_the_question_and_every_status(client: Callable[[], Http]) -> None:
    document = client().get("/schema/openapi.json").json()
    operation = document["paths"][QUESTIONS]["post"]
    assert set(operation["responses"]) >= {"200", "400", "401", "403", "404", "422", "503"}
    assert "Server-Timing" in operation["responses"]["200"]["headers"]
    text = json.dumps(document["components"]["schemas"])
    for part in ("dimensions", "measures", "order_by", "half_hour", "quantile"):
        assert part in text


def test_page_asks_and_shows_the_answer_without_script(walk: Walk, client: Callable[[], Http]) -> None:
    http = browser(walk, client, walk.world.staff(walk.organisation, "analyst").staff_id)
    desk = http.get("/cleanroom")
    assert desk.status_code == 200
    assert "select area, dwelling_type, count(*), avg(energy_wh) from energy.readings" in desk.text
    assert "地域の電力の使われ方" in desk.text
    answered = http.post("/cleanroom", data={"agreement": walk.agreement.agreement_id, "sql": BY_AREA})
    assert answered.status_code == 200
    assert "24人のデータから集計しました" in answered.text
    assert "10,656" in answered.text


def test_page_marks_suppressed_cells_and_shows_fewer_than_the_minimum(walk: Walk, client: Callable[[], Http]) -> None:
    walk.give(*range(24, 34))
    http = browser(walk, client, walk.world.staff(walk.organisation, "analyst").staff_id)
    answered = http.post("/cleanroom", data={"agreement": walk.agreement.agreement_id, "sql": BY_DWELLING})
    assert "&lt;10" in answered.text
    assert "‥</abbr>" in answered.text


def test_page_explains_a_refusal_where_the_question_was_written(walk: Walk, client: Callable[[], Http]) -> None:
    http = browser(walk, client, walk.world.staff(walk.organisation, "analyst").staff_id)
    sql = "select <b>bold</b>, count(*) from energy.readings"
    refused = http.post("/cleanroom", data={"agreement": walk.agreement.agreement_id, "sql": sql})
    assert refused.status_code == 400
    assert "お答えできませんでした" in refused.text
    assert "1行目" in refused.text
    assert "<b>bold</b>" not in refused.text
    assert "select &lt;b&gt;bold" in refused.text


def test_page_says_how_to_begin_when_there_is_no_agreement(walk: Walk, client: Callable[[], Http]) -> None:
    new = NewOrganisation("はじめての会社", "First Company", "company", "office@example.jp")
    beginner = register_organisation(walk.city, OPERATOR, new)
    http = browser(walk, client, walk.world.staff(beginner, "analyst").staff_id)
    assert "承認された契約がまだありません" in http.get("/cleanroom").text


def test_page_is_for_staff_only(walk: Walk, client: Callable[[], Http]) -> None:
    assert browser(walk, client, walk.people[0].resident_id).get("/cleanroom").status_code == 403


class _Open:
    """The city that a command opens; the test closes it."""

    def __init__(self, city: Any) -> None:
        self.city = city

    def __enter__(self) -> Any:
        return self.city

    def __exit__(self, *error: Any) -> None:
        return None


@pytest.fixture
def command(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    monkeypatch.setattr(commands, "open_city", lambda: _Open(walk.city))
    set_opener(lambda: walk.city)
    return lambda *words: CliRunner().invoke(cli, list(words), env={"COLUMNS": "200"})


def test_command_prints_the_answer_as_a_table(walk: Walk, command: Callable[..., Any]) -> None:
    done = command("ask", "--agreement", walk.agreement.agreement_id, BY_AREA)
    assert done.exit_code == 0
    for shown in ("sum_energy_wh (Wh)", "10,656", "subjects", "中央", "ent_"):
        assert shown in done.output


def test_command_prints_json_that_programs_read(walk: Walk, command: Callable[..., Any]) -> None:
    done = command("ask", "--agreement", walk.agreement.agreement_id, BY_AREA, "--json")
    assert json.loads(done.output)["rows"][0]["values"] == ["中央", 96, 10656]


def test_command_marks_suppressed_values(walk: Walk, command: Callable[..., Any]) -> None:
    walk.give(*range(24, 34))
    done = command("ask", "--agreement", walk.agreement.agreement_id, BY_DWELLING)
    assert "‥" in done.output
    assert "<10" in done.output


def test_command_leaves_a_refusal_to_the_command_line(walk: Walk, command: Callable[..., Any]) -> None:
    done = command("ask", "--agreement", walk.agreement.agreement_id, "select 1")
    assert isinstance(done.exception, DomainError)
    assert done.exception.surface.exit_code == 2


def test_command_lists_what_can_be_asked_for(command: Callable[..., Any]) -> None:
    assert "half_hour" in command("datasets").output
    assert {each["name"] for each in json.loads(command("datasets", "--json").output)} >= {"energy.readings"}
