"""`sanpo people …` on the operator's machine."""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sanpo import app
from sanpo.ground.actors import Anonymous, Client, Resident, Staff
from sanpo.ground.cli import set_opener
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted
from sanpo.people import SecretProof, actor_of, issue_token, make_sign_in_link
from sanpo.people.cli import cli
from sanpo.people.client_tokens import AssertionProof
from sanpo.people.errors import (
    ClientIsNotAuthenticated,
    ClientKeysAreUnusable,
    FileCannotBeWritten,
    RegisterHasBadRows,
    RegisterHasOnlyBadRows,
    SignInLinkIsNotValid,
)
from sanpo.people.organisations import amend_organisation
from sanpo.people.sign_in import sign_in_with_link
from tests.people.conftest import OPERATOR, Town
from tests.people.registers import person, write
from tests.people.test_clients import KEY, claims_of, public, sign

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
    organisation_id = made["organisation_id"]
    assert run("list-organisations")[-1]["organisation_id"] == organisation_id
    client = run("add-client", organisation_id, "検針")
    assert may_ask(town, client) == organisation_id
    staff_id = run("add-staff", organisation_id, "水野", "--email", "m@example.jp")["staff_id"]
    listed = run("list-staff", organisation_id)
    assert [(row["staff_id"], row["role"], row["email"]) for row in listed] == [(staff_id, "analyst", "m@example.jp")]


def test_operator_corrects_an_organisation(town: Town, run: Run) -> None:
    organisation_id = town.company.organisation_id
    run("amend-organisation", organisation_id, "--name-en", "Electric", "--webhook", "https://e.example/hook")
    amended = run("amend-organisation", organisation_id, "--contact", "tel:9")
    assert (amended["name_ja"], amended["name_en"], amended["contact"]) == ("三方電力", "Electric", "tel:9")
    assert amended["webhook_url"] == "https://e.example/hook"
    assert run("amend-organisation", organisation_id, "--webhook", "")["webhook_url"] is None
    with pytest.raises(InputIsInvalid):
        run("amend-organisation", organisation_id, "--name-ja", " ")
    with pytest.raises(NotPermitted):
        amend_organisation(town.city, town.staff(town.analyst_id), organisation_id, contact="tel:1")


def test_operator_undoes_the_end_of_staff_but_not_of_their_sessions(town: Town, run: Run) -> None:
    cookie, link = town.cookie(town.analyst_id), make_sign_in_link(town.city, OPERATOR, town.analyst_id)
    with pytest.raises(NotFound):
        run("reinstate-staff", town.analyst_id)
    assert isinstance(actor_of(town.city, cookie=cookie, bearer=None), Staff)
    run("end-staff", town.analyst_id)
    assert run("list-staff", town.company.organisation_id)[0]["left_at"] is not None
    run("reinstate-staff", town.analyst_id)
    assert actor_of(town.city, cookie=cookie, bearer=None) == Anonymous()
    with pytest.raises(SignInLinkIsNotValid):
        sign_in_with_link(town.city, link.token)
    assert town.staff(town.analyst_id).staff_id == town.analyst_id


def test_operator_makes_a_client_with_keys_and_changes_what_proves_it(town: Town, run: Run, tmp_path: Path) -> None:
    jwks, organisation_id = tmp_path / "keys.json", town.company.organisation_id
    jwks.write_text(json.dumps(public(KEY)))
    client_id = run("add-client", organisation_id, "需要予測", "--jwks", str(jwks))["client_id"]
    assert may_ask(town, {"client_id": client_id, "assertion": sign(claims_of(client_id))}) == organisation_id
    assert [(row["has_secret"], row["has_keys"]) for row in run("list-clients", organisation_id)] == [(False, True)]
    secret = run("rotate-client-secret", client_id)
    assert may_ask(town, secret) == organisation_id
    run("set-client-keys", client_id, str(jwks))
    with pytest.raises(ClientIsNotAuthenticated):
        may_ask(town, secret)
    run("revoke-client", client_id)
    with pytest.raises(ClientIsNotAuthenticated):
        may_ask(town, {"client_id": client_id, "assertion": sign(claims_of(client_id))})
    for unusable in ("{", '{"keys": []}', "[1]"):
        jwks.write_text(unusable)
        with pytest.raises(ClientKeysAreUnusable):
            run("add-client", organisation_id, "x", "--jwks", str(jwks))
    with pytest.raises(ClientKeysAreUnusable):
        run("add-client", organisation_id, "x", "--jwks", str(tmp_path / "none"))
    assert len(run("list-clients", organisation_id)) == 1


def test_operator_imports_a_register_and_finds_residents_by_its_references(
    town: Town, run: Run, tmp_path: Path
) -> None:
    mark = f"C{town.hanako.subject_no}-"  # the tests of a module share one city
    people = [person(n, reference=f"{mark}{n}") for n in (1, 2)]
    file = str(write(tmp_path / "r.csv", people, encoding="cp932"))
    assert run("import", file, "--part", "--encoding", "cp932", "--check")["registered"] == 2
    assert run("import", file, "--part", "--encoding", "cp932")["registered"] == 2
    assert run("import", file, "--part", "--encoding", "cp932")["unchanged"] == 2
    listed = run("list-residents", "--after", str(town.taro.subject_no))
    assert [row["reference"] for row in listed] == [f"{mark}1", f"{mark}2"]
    assert "山田" not in json.dumps(listed, ensure_ascii=False)
    number = run(
        "add-representative",
        f"{mark}1",
        f"{mark}2",
        "--role",
        "parent",
        "--from",
        "2026-04-01",
        "--until",
        "2026-04-30",
    )["representation_no"]
    found = run("list-representatives", "--resident", f"{mark}2")
    assert [(row["representation_no"], row["valid_until"]) for row in found] == [(number, "2026-04-30 15:00:00+00:00")]
    run("end-representative", str(number))
    assert run("list-representatives", "--resident", f"{mark}1")[0]["ended_at"] is not None
    for unknown in (f"{mark}3", "山田", "\udcff"):
        with pytest.raises(NotFound):
            run("list-passkeys", unknown)


def test_bad_rows_are_explained_in_the_operators_language(
    town: Town, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(write(tmp_path / "r.csv", [person(1, email="nobody"), person(2, reference="A1")]))
    monkeypatch.delenv("LC_ALL", raising=False)
    for lang, told in (("C", "row 2, column “email”: malformed_email"), ("ja_JP.UTF-8", "2行目、列「email」")):
        monkeypatch.setenv("LANG", lang)
        done = CliRunner().invoke(cli, ["import", file])
        assert isinstance(done.exception, RegisterHasBadRows)
        assert told in done.stderr
        assert "name@example.jp" in done.stderr
        assert "nobody" not in done.output
    as_json = json.loads(CliRunner().invoke(cli, ["import", file, "--json"]).stdout)
    assert as_json["counts"] == {"repeated_reference": 2, "malformed_email": 1}
    skipped = CliRunner().invoke(cli, ["import", file, "--skip-bad"])
    assert isinstance(skipped.exception, RegisterHasOnlyBadRows)


def test_operator_writes_letters_cancels_them_and_locks_out(town: Town, run: Run, tmp_path: Path) -> None:
    taro, first, staff = town.taro.resident_id, tmp_path / "1.csv", tmp_path / "2.csv"
    assert run("invite", str(first), taro, "--days", "7")["letters"] == 1
    row = next(one for one in run("list-residents", "--limit", "100000") if one["resident_id"] == taro)
    assert row["invited_until"] == str(town.city.now() + timedelta(days=7))
    assert run("cancel-invitations", taro) == {"cancelled": 1}
    assert run("invite", str(staff), "--staff", "--again")["letters"] >= 3
    with staff.open(encoding="utf-8", newline="") as text:
        token = next(one["url"] for one in csv.DictReader(text) if one["holder_id"] == town.officer_id).rsplit("/", 1)[
            1
        ]
    cookie = sign_in_with_link(town.city, token).token
    assert run("lock-out", town.officer_id) == {"sessions": 1, "passkeys": 0, "links": 0}
    assert actor_of(town.city, cookie=cookie, bearer=None) == Anonymous()
    assert run("list-passkeys", taro) == []
    for words in (
        ["cancel-invitations"],
        ["cancel-invitations", taro, "--all"],
        ["invite", str(first), "--days", "61"],
    ):
        assert CliRunner().invoke(cli, words).exit_code == 2
    with pytest.raises(FileCannotBeWritten):
        run("invite", str(first), taro)


def test_nothing_but_the_file_shows_a_link(town: Town, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "letters.csv"
    done = CliRunner().invoke(cli, ["invite", str(file), town.taro.resident_id], catch_exceptions=False)
    token = file.read_text().rsplit("/", 1)[1].split(",")[0]
    assert len(token) == 43
    assert token not in done.output + done.stderr


def test_operator_makes_a_sign_in_link_in_a_demo(town: Town, run: Run) -> None:
    link = run("sign-in-link", town.hanako.resident_id, "--minutes", "5")
    session = sign_in_with_link(town.city, link["url"].rsplit("/", 1)[1])
    assert isinstance(actor_of(town.city, cookie=session.token, bearer=None), Resident)


def test_commands_refuse_what_is_not_there_and_unknown_words(town: Town, run: Run) -> None:
    with pytest.raises(NotFound):
        run("add-client", "org_00000000000000000000000000", "x")
    hanako, kazue = town.hanako.resident_id, town.kazue.resident_id
    for words in (
        ["add-organisation", "名", "n", "--kind", "village"],
        ["add-staff", town.company.organisation_id, "x", "--role", "king"],
        ["add-representative", hanako, kazue, "--role", "friend", "--until", "2027-01-01"],
        ["add-representative", hanako, kazue, "--role", "carer", "--until", "tomorrow"],
    ):
        assert CliRunner().invoke(cli, words).exit_code == 2, words
    for words in (["list-organisations"], ["list-residents"], ["list-staff", town.company.organisation_id]):
        table = CliRunner().invoke(cli, words, catch_exceptions=False)
        assert table.exit_code == 0


def may_ask(town: Town, proof: dict[str, str]) -> str:
    """The organisation in whose name a program with this proof asks."""
    given = (
        AssertionProof(proof["assertion"]) if "assertion" in proof else SecretProof(proof["client_id"], proof["secret"])
    )
    actor = actor_of(town.city, cookie=None, bearer=issue_token(town.city, given).token)
    assert isinstance(actor, Client)
    return actor.organisation_id
