"""`sanpo people …` on the operator's machine."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from sanpo import app
from sanpo.ground.actors import Client, Resident
from sanpo.ground.cli import set_opener
from sanpo.ground.errors import NotFound
from sanpo.people import SecretProof, actor_of, issue_token
from sanpo.people.cli import cli
from sanpo.people.sign_in import sign_in_with_link
from tests.people.conftest import Town

Run = Callable[..., Any]


@pytest.fixture
def run(town: Town) -> Iterator[Run]:
    """Runs a command with --json; returns what it printed."""
    set_opener(lambda: app.open_city(town.city.settings, clock=town.city.clock, pool=2))

    def call(*words: str) -> Any:
        done = CliRunner().invoke(cli, [*words, "--json"], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    yield call
    set_opener(lambda: pytest.fail("no city is open"))


def test_operator_adds_an_organisation_its_client_and_staff(town: Town, run: Run) -> None:
    made = run("add-organisation", "三方水道", "Water", "--kind", "company", "--contact", "tel:2")
    assert run("list-organisations")[-1]["organisation_id"] == made["organisation_id"]
    client = run("add-client", made["organisation_id"], "検針")
    token = issue_token(town.city, SecretProof(client["client_id"], client["secret"])).token
    actor = actor_of(town.city, cookie=None, bearer=token)
    assert isinstance(actor, Client)
    assert actor.organisation_id == made["organisation_id"]
    assert run("add-staff", made["organisation_id"], "水野")["staff_id"].startswith("stf_")


def test_operator_makes_a_sign_in_link(town: Town, run: Run) -> None:
    link = run("sign-in-link", town.hanako.resident_id, "--minutes", "5")
    session = sign_in_with_link(town.city, link["url"].rsplit("/", 1)[1])
    assert isinstance(actor_of(town.city, cookie=session.token, bearer=None), Resident)


def test_commands_refuse_what_is_not_there_and_unknown_words(run: Run) -> None:
    with pytest.raises(NotFound):
        run("add-client", "org_00000000000000000000000000", "x")
    assert CliRunner().invoke(cli, ["add-organisation", "名", "n", "--kind", "village"]).exit_code == 2
    table = CliRunner().invoke(cli, ["list-organisations"], catch_exceptions=False)
    assert table.exit_code == 0
