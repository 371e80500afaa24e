"""Importing the residents' register: whole or nothing, the same again changes nothing, and nobody sees it but its duty."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sanpo.app import open_city
from sanpo.ground.actors import Actor, Anonymous, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.people import NewResident, register_residents
from sanpo.people.actions import choose_language, export_self, list_households, read_self
from sanpo.people.errors import (
    FileCannotBeWritten,
    ReferenceIsTaken,
    RegisterHasBadRows,
    RegisterHasNationalNumbers,
    RegisterHasOnlyBadRows,
)
from sanpo.people.imports import RegisterImport, import_register
from sanpo.people.roll import list_residents
from tests.people.conftest import OPERATOR
from tests.people.registers import Person, person, write

TABLES = ("people.residents", "people.identities", "people.households", "people.household_members")


class Office:
    """An empty city and the folder where its register comes in."""

    def __init__(self, city: City, folder: Path) -> None:
        self.city, self.folder = city, folder

    def bring(self, people: list[Person], *, leave_out: tuple[str, ...] = (), **options: Any) -> RegisterImport:
        """Imports a register of these people."""
        file = write(self.folder / "register.csv", people, leave_out=leave_out)
        return import_register(self.city, OPERATOR, file, **options)

    def stored(self) -> list[Any]:
        """Every row about residents and where it lies, so that a rewritten row shows."""
        with psycopg.connect(self.city.settings.database_owner_url) as conn:
            return [
                conn.execute(f"select ctid, t::text from {table} t order by 2").fetchall()  # type: ignore[arg-type]
                for table in TABLES
            ]

    def resident(self, reference: str) -> Resident:
        found = next(one for one in list_residents(self.city, OPERATOR) if one.reference == reference)
        return Resident(found.resident_id, found.subject_no, found.resident_id)

    def home(self, reference: str) -> int:
        number = self.resident(reference).subject_no
        return next(home.household_no for home in list_households(self.city, OPERATOR) if number in home.subject_nos)


@pytest.fixture
def office(settings: Settings, clock: FixedClock, tmp_path: Path) -> Iterator[Office]:
    city = open_city(settings, clock=clock, pool=4)
    yield Office(city, tmp_path)
    city.db.close()


def test_register_is_imported_with_its_households(office: Office) -> None:
    done = office.bring([person(1), person(2, household="H1"), person(3)])
    assert (done.rows, done.registered, done.changed, done.unchanged, done.skipped, done.vanished) == (3, 3, 0, 0, 0, 0)
    homes = list_households(office.city, OPERATOR)
    assert [(home.area, home.subject_nos) for home in homes] == [("北", (1, 2)), ("北", (3,))]
    identity = read_self(office.city, office.resident("A1")).identity
    assert (identity.name, identity.email, identity.birth_year) == ("山田 1郎", "p1@example.jp", 1941)
    assert export_self(office.city, office.resident("A1"))["reference"] == "A1"


def test_same_register_again_changes_nothing(office: Office) -> None:
    for people in ([person(n) for n in range(5)], [person(n, reference="") for n in range(5, 9)]):
        office.bring(people, part=True)
        before = office.stored()
        done = office.bring(people, part=True)
        assert (done.registered, done.changed, done.unchanged) == (0, 0, len(people))
        assert office.stored() == before


def test_changed_rows_change_the_identity_and_the_home_of_their_resident_alone(office: Office) -> None:
    office.bring([person(1), person(2), person(3, household="H2")])
    before = office.resident("A1")
    married = person(1, name="鈴木 1郎", address="三方市南9", area="南", email="", household="H9")
    done = office.bring([married, person(2), person(3, household="H2")])
    assert (done.registered, done.changed, done.unchanged) == (0, 1, 2)
    assert office.resident("A1") == before
    identity = read_self(office.city, before).identity
    assert (identity.name, identity.address, identity.area, identity.email) == ("鈴木 1郎", "三方市南9", "南", None)
    assert office.home("A1") != office.home("A2") == office.home("A3")
    assert list_households(office.city, OPERATOR)[-1].area == "南"


def test_household_that_moves_stays_the_same_household(office: Office) -> None:
    office.bring([person(1), person(2, household="H1")])
    home = office.home("A1")
    office.bring([person(1, area="南"), person(2, household="H1", area="南")])
    assert office.home("A1") == office.home("A2") == home
    assert [home.area for home in list_households(office.city, OPERATOR)] == ["南"]


def test_language_stays_the_residents_choice_and_columns_left_out_stay_as_they_are(office: Office) -> None:
    office.bring([person(1, language="ja")])
    choose_language(office.city, office.resident("A1"), "en")
    done = office.bring([person(1, language="ja", name="別名")], leave_out=("email", "birth_year", "household"))
    assert done.changed == 1
    mine = read_self(office.city, office.resident("A1"))
    assert (mine.identity.language, mine.identity.email, mine.identity.birth_year) == ("en", "p1@example.jp", 1941)
    assert mine.household_area == "北"


def test_vanished_are_told_and_kept_until_they_are_back(office: Office, tmp_path: Path) -> None:
    office.bring([person(1), person(2)])
    report = tmp_path / "report.csv"
    done = office.bring([person(1)], report=report)
    assert (done.vanished, done.unchanged) == (1, 1)
    gone = office.resident("A2")
    assert report.read_text().splitlines()[1] == f",,vanished,{gone.resident_id},A2"
    assert stat.S_IMODE(report.stat().st_mode) == 0o600
    assert read_self(office.city, gone).identity.vanished_at == office.city.now()
    assert office.bring([person(2)], part=True).changed == 1
    assert read_self(office.city, gone).identity.vanished_at is None


def test_nobody_vanishes_when_the_file_is_a_part_or_rows_are_skipped(office: Office) -> None:
    office.bring([person(1), person(2)])
    assert office.bring([person(1)], part=True).vanished == 0
    assert office.bring([person(1), person(3, name="")], skip_bad=True).vanished == 0
    assert [one.vanished_at for one in list_residents(office.city, OPERATOR)] == [None, None]


def test_one_bad_row_keeps_the_whole_register_out_and_is_told(office: Office, tmp_path: Path) -> None:
    """people.register_has_bad_rows"""
    office.bring([person(1)])
    before, report = office.stored(), tmp_path / "report.csv"
    people = [person(1, name="別名"), person(2), person(3, email="nobody")]
    with pytest.raises(RegisterHasBadRows) as refused:
        office.bring(people, report=report)
    assert (refused.value.fields["bad"], refused.value.fields["rows"]) == (1, 3)
    assert refused.value.fields["first"] == [{"row": 4, "column": "email", "reason": "malformed_email"}]
    assert report.read_text().splitlines()[1] == "4,email,malformed_email,,"
    assert office.stored() == before
    assert "nobody" not in str(refused.value) + report.read_text()
    skipped = office.bring(people, skip_bad=True)
    assert (skipped.registered, skipped.changed, skipped.skipped) == (1, 1, 1)
    assert skipped.reasons == {"malformed_email": 1}


def test_register_of_bad_rows_alone_is_refused_even_when_they_may_be_skipped(office: Office) -> None:
    """people.register_has_only_bad_rows"""
    with pytest.raises(RegisterHasOnlyBadRows):
        office.bring([person(1, name="")], skip_bad=True)


def test_check_tells_what_would_change_and_changes_nothing(office: Office) -> None:
    office.bring([person(1), person(2)])
    before = office.stored()
    done = office.bring([person(1, name="別名"), person(3)], only_check=True)
    assert (done.registered, done.changed, done.vanished, done.only_check) == (1, 1, 1, True)
    assert office.stored() == before


def test_national_numbers_are_refused_whatever_may_be_skipped(office: Office) -> None:
    before = office.stored()
    with pytest.raises(RegisterHasNationalNumbers):
        office.bring([person(1) | {"マイナンバー": "123456789018"}], skip_bad=True)
    assert office.stored() == before


def test_references_are_given_later_to_those_who_are_recognised(office: Office) -> None:
    office.bring([person(1), person(2)], leave_out=("reference",))
    done = office.bring([person(1), person(2), person(3)])
    assert (done.registered, done.changed) == (1, 2)
    assert [one.reference for one in list_residents(office.city, OPERATOR)] == ["A1", "A2", "A3"]


def test_resident_registered_otherwise_is_recognised(office: Office) -> None:
    row = person(1)
    new = NewResident(row["name"], row["name_kana"], row["address"], "中央", birth_year=int(row["birth_year"]))
    register_residents(office.city, OPERATOR, [new])
    assert office.bring([row]).changed == 1
    assert read_self(office.city, office.resident("A1")).identity.area == "北"


def test_row_without_a_reference_is_refused_when_it_may_be_two(office: Office) -> None:
    office.bring([person(1), person(1, reference="A2")])
    with pytest.raises(RegisterHasBadRows) as refused:
        office.bring([person(1, reference="")])
    assert refused.value.fields["counts"] == {"ambiguous_person": 1}


def test_two_rows_about_one_resident_are_refused(office: Office) -> None:
    office.bring([person(1)])
    with pytest.raises(RegisterHasBadRows) as refused:
        office.bring([person(1, name="別名"), person(1, reference="")])
    assert refused.value.fields["counts"] == {"repeated_person": 2}


def test_reference_is_one_residents(office: Office) -> None:
    """people.reference_is_taken"""
    office.bring([person(1)])
    before = office.stored()
    new = NewResident("別人", "ベツジン", "北9", "北", reference="A1")
    with pytest.raises(ReferenceIsTaken):
        register_residents(office.city, OPERATOR, [new])
    assert office.stored() == before


def test_report_that_cannot_be_written_stops_the_import(office: Office, tmp_path: Path) -> None:
    """people.file_cannot_be_written"""
    before = office.stored()
    with pytest.raises(FileCannotBeWritten):
        office.bring([person(1)], report=tmp_path / "none" / "report.csv")
    with pytest.raises(FileCannotBeWritten):
        office.bring([person(1)], report=office.folder / "register.csv")
    assert "A1" in (office.folder / "register.csv").read_text()
    assert office.stored() == before


def test_register_is_imported_by_the_operator_only(office: Office) -> None:
    refused: list[tuple[Actor, type[Exception]]] = [
        (Anonymous(), NotSignedIn),
        (Resident("res_x", 1, "res_x"), NotPermitted),
        (Staff("stf_x", "org_x", 1, "officer"), NotPermitted),
        (System("jobs"), NotPermitted),
    ]
    file = write(office.folder / "register.csv", [person(1)])
    for actor, refusal in refused:
        with pytest.raises(refusal):
            import_register(office.city, actor, file)


def test_only_the_import_and_letters_open_identities_and_neither_opens_a_secret(office: Office) -> None:
    office.bring([person(1)])
    secrets = ("passkeys", "sessions", "sign_in_links", "challenges", "staff", "representatives")
    for duty, seen, changed in (("operator", 0, 0), ("sign_in", 0, 0), ("letters", 1, 0), ("register", 1, 1)):
        with office.city.transaction(System(duty)) as tx:
            assert len(tx.all("select subject_no from people.identities")) == seen, duty
            assert tx.execute("update people.identities set name = name") == changed, duty
            if duty in ("letters", "register"):
                for table in secrets:
                    assert tx.execute(f"delete from people.{table}") == 0, (duty, table)


def test_progress_is_told_from_the_first_to_the_last_row(office: Office) -> None:
    heard: list[tuple[str, int, int]] = []
    office.bring([person(n) for n in range(3)], progress=lambda *told: heard.append(told))
    assert heard[-1] == ("write", 3, 3)
    assert heard[0][0] == "read"
    assert heard[0][1] == heard[0][2]
