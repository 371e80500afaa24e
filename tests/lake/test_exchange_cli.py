"""`sanpo lake import-open`, `export` and `import-package` as the operator sees them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sanpo.ground.city import City
from sanpo.lake import cli, cli_exchange
from sanpo.lake.errors import ExportIsPersonal, OpenFileHasBadRows
from sanpo.lake.opendata import Reason
from tests.lake.open_data import SHOPS, shops, write

DESCRIPTOR = """
name = "open.shops"
text = { ja = "店", en = "Shops" }
licence = "CC-BY-4.0"

[source]
publisher = "三方市"
url = "https://example.jp/shops"
retrieved_day = 2026-03-31

[[columns]]
name = "shop"
type = "text"
role = "dimension"
text = { ja = "店", en = "Shop" }

[[columns]]
name = "staff"
type = "int32"
role = "measure"
text = { ja = "人数", en = "People" }
"""


@pytest.fixture
def run(city: City, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    @contextmanager
    def opened() -> Iterator[City]:
        yield city

    for module in (cli, cli_exchange):
        monkeypatch.setattr(module, "open_city", opened)
    return CliRunner()


@pytest.fixture
def descriptor(tmp_path: Path) -> str:
    return str(write(tmp_path, DESCRIPTOR.splitlines(), "shops.toml"))


def test_import_says_what_it_did_and_list_shows_licence_and_source(
    run: CliRunner, descriptor: str, tmp_path: Path
) -> None:
    done = run.invoke(cli.cli, ["import-open", descriptor, str(shops(tmp_path, "魚屋,焼津,3")), "--json"])
    assert json.loads(done.stdout) == {
        "outcome": "added", "dataset": SHOPS, "rows": 1, "skipped": 0, "reasons": {}
    }  # fmt: skip
    assert "unchanged" in run.invoke(cli.cli, ["import-open", descriptor, str(tmp_path / "shops.csv")]).stdout
    listed = json.loads(run.invoke(cli.cli, ["list", "--json"]).stdout)[-1]
    assert (listed["dataset"], listed["licence"]) == (SHOPS, "CC-BY-4.0")
    assert listed["attribution"].startswith("三方市, https://example.jp/shops")
    assert "CC-BY-4.0" in run.invoke(cli.cli, ["list"]).stdout


def test_bad_rows_are_shown_with_what_would_be_accepted(run: CliRunner, descriptor: str, tmp_path: Path) -> None:
    file = str(shops(tmp_path, "魚屋,焼津,3", "本屋,焼津,many"))
    done = run.invoke(cli.cli, ["import-open", descriptor, file])
    assert isinstance(done.exception, OpenFileHasBadRows)
    assert "shops.csv, row 3, staff: not_whole 'many'" in done.stderr
    assert "1 × not_whole: a whole number" in done.stderr
    shown = json.loads(run.invoke(cli.cli, ["import-open", descriptor, file, "--json"]).stdout)
    assert shown["counts"] == {"not_whole": 1}
    report = tmp_path / "report.csv"
    done = run.invoke(cli.cli, ["import-open", descriptor, file, "--skip-bad", "--report", str(report)])
    assert "skipped: not_whole" in done.stdout
    assert len(report.read_text().splitlines()) == 2


def test_every_reason_has_words(city: City) -> None:
    for reason in Reason:
        for lang in ("ja", "en"):
            assert city.words.has(lang, f"lake.reason.{reason}")


def test_export_and_import_tell_each_dataset(run: CliRunner, descriptor: str, tmp_path: Path) -> None:
    run.invoke(cli.cli, ["import-open", descriptor, str(shops(tmp_path, "魚屋,焼津,3"))])
    out = str(tmp_path / "out")
    (told,) = json.loads(run.invoke(cli.cli, ["export", "--to", out, "--json"]).stdout)
    assert (told["dataset"], told["rows"], told["licence"]) == (SHOPS, 1, "CC-BY-4.0")
    assert Path(told["file"]).stat().st_size == told["bytes"]
    (back,) = json.loads(run.invoke(cli.cli, ["import-package", out, "--json"]).stdout)
    assert back == {"dataset": SHOPS, "rows": 1, "outcome": "replaced"}
    assert "unchanged" in run.invoke(cli.cli, ["import-package", out]).stdout


def test_personal_export_is_warned_of(run: CliRunner, tmp_path: Path) -> None:
    refused = run.invoke(cli.cli, ["export", "energy.homes", "--to", str(tmp_path / "out")])
    assert isinstance(refused.exception, ExportIsPersonal)
    done = run.invoke(cli.cli, ["export", "energy.homes", "--personal", "--to", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "public journal" in " ".join(done.stderr.split())


def test_export_needs_a_folder(run: CliRunner) -> None:
    assert run.invoke(cli.cli, ["export"]).exit_code == 2
