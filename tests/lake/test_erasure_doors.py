"""Erasure through its doors: a resident's page and API, the operator's commands."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.lake import append, read_subject, replace
from sanpo.lake import cli_upkeep as commands
from sanpo.lake.cli import cli
from sanpo.lake.upkeep import carry_out, list_erasures
from tests.journeys.town import sign_in
from tests.lake.rows import READINGS, readings
from tests.lake.upkeep.people import homes_of
from tests.world import World

Make = Callable[[], TestClient[Any]]
PATH = "/api/lake/erasures"


@pytest.fixture
def people(city: City, world: World) -> list[Resident]:
    """Three residents with eight readings and a home each."""
    made = world.residents(3)
    numbers = [each.subject_no for each in made]
    append(city, READINGS, readings(numbers, 8))
    replace(city, "energy.homes", homes_of(*numbers))
    return made


@pytest.fixture
def run(city: City, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    @contextmanager
    def opened() -> Iterator[City]:
        yield city

    monkeypatch.setattr(commands, "open_city", opened)
    return lambda *given, **more: CliRunner().invoke(cli, list(given), **more)


def test_resident_asks_over_http_and_sees_how_far_it_is(city: City, client: Make, people: list[Resident]) -> None:
    me, other = (sign_in(city, client, one.resident_id) for one in people[:2])
    assert me.get(PATH).json() == []
    asked = me.post(PATH)
    assert (asked.status_code, asked.json()["state"], asked.json()["datasets"]) == (202, "asked", [])
    assert me.post(PATH).json() == asked.json()
    carry_out(city)
    (seen,) = me.get(PATH).json()
    assert seen["state"] == "erased"
    assert seen["entry_id"].startswith("ent_")
    assert [(each["dataset"], each["rows"]) for each in seen["datasets"]] == [("energy.homes", 1), (READINGS, 8)]
    assert "subject_no" not in json.dumps(seen)
    assert other.get(PATH).json() == []
    assert read_subject(city, people[0], READINGS).num_rows == 0
    assert read_subject(city, people[1], READINGS).num_rows == 8


def test_nobody_asks_without_a_sign_in_or_the_session_token(city: City, client: Make, people: list[Resident]) -> None:
    assert client().post(PATH).status_code == 401
    me = sign_in(city, client, people[0].resident_id)
    del me.headers["x-csrf-token"]
    assert me.post(PATH).status_code == 403
    assert list_erasures(city, people[0]) == []


@pytest.mark.parametrize(
    ("lang", "says"),
    [
        ("ja", ["記録を消去する", "元には戻せません", "同意は取り消されません", "24時間以内", "8件"]),
        ("en", ["Erase my records", "cannot be undone", "withdraws no consent", "within 24 hours", "8 records"]),
    ],
)
def test_page_says_plainly_what_happens_before_anybody_presses(
    city: City, client: Make, people: list[Resident], lang: str, says: list[str]
) -> None:
    me = sign_in(city, client, people[0].resident_id)
    me.cookies.set("lang", lang)
    page = me.get("/lake/erasures", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert [word for word in says if word not in page.text] == []
    assert "lake.erasure" not in page.text


def test_page_asks_only_when_the_box_is_ticked_and_shows_the_state(
    city: City, client: Make, people: list[Resident]
) -> None:
    me = sign_in(city, client, people[0].resident_id)
    form = {"csrf_token": me.headers["x-csrf-token"]}
    assert me.post("/lake/erasures", data=form).status_code == 400
    assert list_erasures(city, people[0]) == []
    asked = me.post("/lake/erasures", data={**form, "sure": "1"})
    assert "受け付けました" in asked.text
    assert 'name="sure"' not in asked.text, "it is asked for already"
    carry_out(city)
    assert "記録を取り除きました" in me.get("/lake/erasures").text
    (done,) = list_erasures(city, people[0])
    assert str(done.entry_id) in me.get("/lake/erasures").text


def test_page_about_me_leads_there(city: City, client: Make, people: list[Resident]) -> None:
    assert 'href="/lake/erasures"' in sign_in(city, client, people[0].resident_id).get("/people/me").text


def test_operator_erases_by_the_residents_identifier(
    city: City, people: list[Resident], run: Callable[..., Any]
) -> None:
    done = run("erase", people[0].resident_id, "--yes", "--json")
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["state"], [each["rows"] for each in told["datasets"]]) == ("erased", [1, 8])
    again = json.loads(run("erase", people[0].resident_id, "--yes", "--now", "--json").stdout)
    assert again["state"] == "gone"
    assert [each.state for each in list_erasures(city, people[0])] == ["gone", "gone"]
    assert "erased_at" in run("erase", people[1].resident_id, "--yes").stdout


def test_operator_is_asked_first(city: City, people: list[Resident], run: Callable[..., Any]) -> None:
    assert run("erase", people[0].resident_id, input="n\n").exit_code == 1
    assert list_erasures(city, people[0]) == []
    assert run("erase", people[0].resident_id, input="y\n").exit_code == 0
    assert list_erasures(city, people[0])[0].state == "erased"


def test_retain_command_says_what_would_go(
    city: City, run: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.lake.datasets import DEMO, described, things
    from tests.lake.upkeep.test_retention import HORIZON, NOW, things_at

    short = described(city, things(retention_days=40))

    @contextmanager
    def opened() -> Iterator[City]:
        yield short

    monkeypatch.setattr(commands, "open_city", opened)
    append(short, DEMO, things_at(HORIZON.replace(year=2020), NOW))
    (tried,) = json.loads(run("retain", "--dry-run", "--json").stdout)
    assert (tried["dataset"], tried["rows"], tried["entry_id"]) == (DEMO, 1, None)
    assert "dry run" in run("retain", DEMO, "--dry-run").stdout
    (done,) = json.loads(run("retain", "--json").stdout)
    assert done["rows"] == 1
    assert done["entry_id"].startswith("ent_")
