"""The command line: a proof is checked from a file, with the key given or in a file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sanpo.ground import cli as ground_cli
from sanpo.ground.actors import Resident, System
from sanpo.ground.city import City
from sanpo.ground.db import Database
from sanpo.journal import ProofIsInvalid, SubjectSet, append, prove_use, sequence, verifier_key
from sanpo.journal.cli import cli

RUNNER = CliRunner()


@pytest.fixture
def proofs(city: City, people: Callable[..., SubjectSet], tmp_path: Path) -> dict[str, Path]:
    with city.transaction(System("operator")) as tx:
        use = append(tx, kind="use", body={"purpose": "研究"}, subjects=people(7)).entry_id
    sequence(city)
    files = {"in": tmp_path / "in.tlog-proof", "out": tmp_path / "out.tlog-proof", "key": tmp_path / "key"}
    files["in"].write_text(prove_use(city, Resident("res_a", 7, "res_a"), use), encoding="utf-8")
    files["out"].write_text(prove_use(city, Resident("res_b", 8, "res_b"), use), encoding="utf-8")
    files["key"].write_text(f"{verifier_key(city)}\n")
    return files


def test_verify_says_in_the_readers_language_what_is_proven_or_json_to_programs(
    proofs: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = RUNNER.invoke(cli, ["verify", str(proofs["in"]), "--key", str(proofs["key"])])
    assert (told.exit_code, "住民番号 7 は含まれていました" in told.output, "研究" in told.output) == (0, True, True)
    monkeypatch.setenv("LC_ALL", "C")
    told = RUNNER.invoke(cli, ["verify", str(proofs["out"]), "--key", proofs["key"].read_text()])
    assert (told.exit_code, "resident number 8 was not included" in told.output) == (0, True)
    told = RUNNER.invoke(cli, ["verify", str(proofs["in"]), "--key", str(proofs["key"]), "--json"])
    verdict = json.loads(told.stdout)
    assert (verdict["included"], verdict["subject_no"], verdict["body"]) == (True, 7, {"purpose": "研究"})


def test_verify_fails_when_the_file_is_not_a_proof(proofs: dict[str, Path], tmp_path: Path) -> None:
    for content in (b"\xff\xfe", proofs["in"].read_bytes()[:-2]):
        (tmp_path / "bad").write_bytes(content)
        told = RUNNER.invoke(cli, ["verify", str(tmp_path / "bad"), "--key", str(proofs["key"])])
        assert isinstance(told.exception, ProofIsInvalid)


def test_checkpoint_and_audit_are_printed(city: City, proofs: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ground_cli, "_opener", [lambda: reopened(city)])
    shown = RUNNER.invoke(cli, ["checkpoint"])
    assert shown.stdout.startswith(f"{city.settings.journal_origin}\n1\n")
    assert shown.stdout.endswith(proofs["key"].read_text())
    told = RUNNER.invoke(cli, ["audit", "--json"])
    assert json.loads(told.stdout) == {"entries": 1, "uses": 1, "checkpoints": 1, "waiting": 0}
    assert "1 uses" in RUNNER.invoke(cli, ["audit"]).stdout


def reopened(city: City) -> City:
    """The same city with a pool of its own, which the command closes."""
    db = Database(city.settings.database_url, max_size=1)
    db.open()
    return replace(city, db=db)
