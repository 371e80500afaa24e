"""Broken files: named, by their name inside the dataset, and no other file, dataset or question suffers."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace as change
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import LakeIsUnavailable, append, check_readable, compact, jobs, read_subject, replace, snapshot
from sanpo.lake import cli_upkeep as commands
from sanpo.lake.cli import cli
from sanpo.lake.errors import FileIsBroken
from sanpo.lake.health import check_files
from sanpo.lake.upkeep import erase_subject
from tests.lake.rows import BEGIN, READINGS, readings
from tests.lake.test_own_rows import resident
from tests.lake.upkeep.people import homes_of

HOMES = "energy.homes"


def truncate(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    """One bit of a page, which no reader notices that does not ask the checksum."""
    return data[:300] + bytes([data[300] ^ 1]) + data[301:]


def scramble_footer(data: bytes) -> bytes:
    return data[:-40] + b"x" * 32 + data[-8:]


HARMS = [truncate, flip, scramble_footer, lambda data: b"", None]
NAMES = ["truncated", "one bit", "footer", "empty", "missing"]


@pytest.fixture
def files(city: City) -> list[Path]:
    """Files of two months, the first of which a test may harm; and homes beside."""
    append(city, READINGS, readings(range(50), 12))
    replace(city, HOMES, homes_of(1, 2))
    return sorted(Path(file) for file in snapshot(city, READINGS).files)


def harm(file: Path, how: Callable[[bytes], bytes] | None) -> str:
    """Does it, and returns the file's name inside the dataset."""
    if how is None:
        file.unlink()
    else:
        file.write_bytes(how(file.read_bytes()))
    return "/".join(file.parts[-3:])


@pytest.mark.parametrize("how", HARMS, ids=NAMES)
def test_check_names_the_broken_file_and_no_other(city: City, files: list[Path], how: Any) -> None:
    assert check_files(city).broken == ()
    name = harm(files[0], how)
    checked = check_files(city)
    assert checked.files == 3
    assert [(each.dataset, each.file) for each in checked.broken] == [(READINGS, name)]
    assert check_files(city, HOMES).broken == ()


@pytest.mark.parametrize("how", HARMS, ids=NAMES)
def test_reading_it_is_unavailable_and_the_rest_can_be_read(city: City, files: list[Path], how: Any) -> None:
    name = harm(files[0], how)
    for act in (
        lambda: read_subject(city, resident(3), READINGS),
        lambda: check_readable(snapshot(city, READINGS)),
        lambda: erase_subject(city, System("operator"), 3),
    ):
        with pytest.raises(FileIsBroken) as caught:
            act()
        assert caught.value.fields["file"] == name
        assert str(city.lake_url) not in str(caught.value.fields)
    february = datetime(2026, 2, 1, tzinfo=UTC)
    assert read_subject(city, resident(3), READINGS, since=february).num_rows == 4
    assert read_subject(city, resident(1), HOMES).num_rows == 1
    check_readable(snapshot(city, READINGS, since=february))


@pytest.mark.parametrize("how", HARMS, ids=NAMES)
def test_compaction_does_not_spread_it(city: City, files: list[Path], how: Any) -> None:
    append(city, READINGS, readings(range(50), 1, begin=BEGIN))
    name = harm(files[0], how)
    before = snapshot(city, READINGS)
    with pytest.raises(FileIsBroken) as caught:
        compact(city, READINGS)
    assert caught.value.fields["file"] == name
    assert snapshot(city, READINGS) == before


def test_broken_file_holds_up_its_own_dataset_only(city: City, files: list[Path]) -> None:
    for step in range(jobs.SPARE_FILES + 1):
        append(city, READINGS, readings([step], 1))
        append(city, HOMES, homes_of(step + 10))
    harm(files[0], truncate)
    with pytest.raises(FileIsBroken):
        jobs.compact_all(city)
    assert len(snapshot(city, HOMES).files) == 1


def test_command_says_which_file_and_what_is_wrong(
    city: City, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def opened() -> Iterator[City]:
        yield city

    monkeypatch.setattr(commands, "open_city", opened)
    good = CliRunner().invoke(cli, ["check", "--json"])
    assert (good.exit_code, json.loads(good.stdout)) == (0, {"files": 3, "broken": []})
    name = harm(files[0], truncate)
    bad = CliRunner().invoke(cli, ["check", READINGS, "--json"])
    (broken,) = json.loads(bad.stdout)["broken"]
    assert bad.exit_code == 10
    assert (broken["dataset"], broken["file"]) == (READINGS, name)
    assert "bytes in place of" in broken["problem"]
    assert "bytes in place" in CliRunner().invoke(cli, ["check"]).stdout


def test_place_of_the_lake_is_told_to_nobody(city: City, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a file where the folder should be")
    lost = change(city, settings=change(city.settings, lake_url=str(tmp_path / "secret")))
    with pytest.raises(LakeIsUnavailable) as caught:
        append(lost, READINGS, readings([1], 1))
    assert str(tmp_path) not in str(caught.value.fields)
