"""`sanpo lake …`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from typer.testing import CliRunner

from sanpo.ground.city import City
from sanpo.lake import append, cli
from tests.lake.rows import READINGS, readings


@pytest.fixture
def run(city: City, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @contextmanager
    def opened() -> Iterator[City]:
        yield city

    monkeypatch.setattr(cli, "open_city", opened)
    return CliRunner()


def test_list_shows_datasets_with_their_size(city: City, run: CliRunner) -> None:
    append(city, READINGS, readings(range(3), 2))
    held = {each["dataset"]: each for each in json.loads(run.invoke(cli.cli, ["list", "--json"]).stdout)}
    assert (held[READINGS]["personal"], held[READINGS]["rows"]) == (True, 6)
    assert "energy.homes" in run.invoke(cli.cli, ["list"]).stdout


def test_compact_says_what_it_did(city: City, run: CliRunner) -> None:
    for subject in range(2):
        append(city, READINGS, readings([subject], 2))
    done = json.loads(run.invoke(cli.cli, ["compact", READINGS, "--json"]).stdout)
    assert done == {"dataset": READINGS, "files_before": 2, "files_after": 1, "rows": 4}
    assert READINGS in run.invoke(cli.cli, ["compact", READINGS]).stdout
    whole = json.loads(run.invoke(cli.cli, ["compact", READINGS, "--whole", "--json"]).stdout)
    assert whole == {"dataset": READINGS, "files_before": 1, "files_after": 1, "rows": 4}
