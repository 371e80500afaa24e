"""`sanpo energy …`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from sanpo.consent import find_agreement
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.errors import InputIsInvalid
from sanpo.services.energy import cli
from sanpo.services.energy.errors import FileHasBadRows
from tests.services.energy.files.written import series, write
from tests.world import World


class Terminal:
    """Runs commands against one city."""

    def __init__(self, city: City, folder: Path) -> None:
        self.city, self.folder = city, folder

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(cli.cli, list(words))

    def file(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return str(self.folder / name)


@pytest.fixture
def terminal(city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    @contextmanager
    def opened() -> Iterator[City]:
        yield city

    monkeypatch.setattr(cli, "open_city", opened)
    monkeypatch.setenv("LANG", "C")
    monkeypatch.delenv("LC_ALL", raising=False)
    return Terminal(city, tmp_path)


def test_meters_are_registered_and_readings_imported(terminal: Terminal, tmp_path: Path) -> None:
    meters = terminal.file("meters.csv", "meter_id,subject_no\nM1,1\nM2,2\n")
    assert [row["meter_id"] for row in json.loads(terminal.run("register-meters", meters, "--json").stdout)] == [
        "M1",
        "M2",
    ]
    path = write(tmp_path / "r.csv.gz", [*series("M1", 5), *series("M2", 5)], packed=True)
    done = json.loads(terminal.run("import", str(path), "--json").stdout)
    assert (done["readings"], done["meters"], done["timezone"]) == (10, 2, "Asia/Tokyo")
    listed = json.loads(terminal.run("imports", "--json").stdout)
    assert [(row["state"], row["import_id"]) for row in listed] == [("imported", done["import_id"])]
    assert "imported" in terminal.run("imports").stdout
    assert json.loads(terminal.run("publish-homes", "--json").stdout) == {"homes": 0}


def test_bad_rows_are_explained_and_nothing_is_imported(terminal: Terminal, tmp_path: Path) -> None:
    terminal.run("register-meters", terminal.file("meters.csv", "meter_id,subject_no\nM1,1\n"))
    path = write(tmp_path / "r.csv", [*series("M1", 2), ("M1", "2026-01-05T00:30:00+0900", "-1"), *series("M9", 1)])
    report = tmp_path / "report.csv"
    result = terminal.run("import", str(path), "--report", str(report))
    assert isinstance(result.exception, FileHasBadRows)
    assert "row 4, meter M1: negative_value '-1'" in result.stderr
    assert "A value is 0 or more." in result.stderr
    assert "not registered (the first 20): M9" in result.stderr
    assert report.read_text().splitlines()[1] == "4,M1,negative_value,-1"
    as_json = json.loads(terminal.run("import", str(path), "--json").stdout)
    assert as_json["counts"] == {"negative_value": 1, "unknown_meter": 1}
    skipped = terminal.run("import", str(path), "--skip-bad")
    assert skipped.exit_code == 0
    assert "negative_value" in skipped.stdout


def test_comparison_is_offered_for_an_officer_to_approve(terminal: Terminal) -> None:
    hall = World(terminal.city).hall
    published = json.loads(terminal.run("offer-comparison", hall.organisation_id, "--json").stdout)
    assert published["state"] == "proposed"
    found = find_agreement(terminal.city, System("operator"), published["agreement_id"])
    assert found is not None
    assert found.draft.service == "energy"


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("meter,subject\n", "1"),
        ("meter_id,subject_no\nM1\n", "2"),
        ("meter_id,subject_no\nM1,one\n", "2"),
        ("meter_id,subject_no\nM1,1\nM1,2\n", "3"),
    ],
)
def test_wrong_list_of_meters_is_refused_with_its_line(tmp_path: Path, text: str, where: str) -> None:
    file = tmp_path / "meters.csv"
    file.write_text(text)
    with pytest.raises(InputIsInvalid) as caught:
        cli._owners(file)
    assert caught.value.fields["where"] == f"meters.csv:{where}"
