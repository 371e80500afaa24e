"""The register: residents, households and representatives, and the wall around who they are."""

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.app import open_city
from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.errors import InputIsInvalid, NotFound, NotPermitted, NotSignedIn
from sanpo.ground.keys import Keys
from sanpo.people import NewHousehold, NewResident, name_of, pseudonym, register_households, register_residents
from sanpo.people.actions import (
    appoint_representative,
    choose_language,
    end_representation,
    export_self,
    list_households,
    read_self,
)
from sanpo.people.errors import (
    ActsForAnother,
    MemberLivesElsewhere,
    RepresentativeIsAppointed,
    RepresentsThemself,
    TermIsInvalid,
)
from tests.conftest import START
from tests.people.conftest import OPERATOR, YEAR, Town

COUNT_IDENTITIES = "select count(*) as n from people.identities"


def new(name: str = "山田 一郎", **changes: object) -> NewResident:
    fields = {"name": name, "name_kana": "やまだ いちろう", "address": "三方市北1", "area": "北"} | changes
    return NewResident(**fields)  # type: ignore[arg-type]


@pytest.fixture
def empty_city(settings: Settings, clock: FixedClock) -> Iterator[City]:
    opened = open_city(settings, clock=clock, pool=2)
    yield opened
    opened.db.close()


def test_residents_are_numbered_densely_from_one_in_the_order_given(empty_city: City) -> None:
    made = register_residents(empty_city, OPERATOR, [new(f"住民{n}") for n in range(5)])
    assert [resident.subject_no for resident in made] == [1, 2, 3, 4, 5]
    for place, resident in enumerate(made):
        assert (
            name_of(empty_city, Resident(resident.resident_id, resident.subject_no, resident.resident_id))
            == f"住民{place}"
        )


def test_two_thousand_residents_are_registered_within_two_seconds(empty_city: City) -> None:
    residents = [new(f"住民{n}", email=f"{n}@example.jp", birth_year=1990) for n in range(2000)]
    began = time.perf_counter()
    made = register_residents(empty_city, OPERATOR, residents)
    register_households(empty_city, OPERATOR, [NewHousehold("北", (resident.subject_no,)) for resident in made])
    assert time.perf_counter() - began < 2


def test_registration_is_refused_whole_when_one_resident_is_invalid(empty_city: City) -> None:
    invalid: list[dict[str, object]] = [
        {"name": " "},
        {"name": "a" * 201},
        {"address": "a\x00b"},
        {"email": "nobody"},
        {"birth_year": 3},
        {"language": "fr"},
    ]
    for changes in invalid:
        with pytest.raises(InputIsInvalid) as refused:
            register_residents(empty_city, OPERATOR, [new(), new(**changes)])
        assert refused.value.fields["where"] == f"residents[1].{next(iter(changes))}"
    assert register_residents(empty_city, OPERATOR, [new()])[0].subject_no == 1


def test_residents_are_registered_by_the_operator_only(city: City) -> None:
    refused: list[tuple[Actor, type[Exception]]] = [
        (Anonymous(), NotSignedIn),
        (Resident("res_x", 1, "res_x"), NotPermitted),
        (Staff("stf_x", "org_x", 1, "officer"), NotPermitted),
        (Client("cli_x", "org_x", 1), NotPermitted),
        (System("jobs"), NotPermitted),
    ]
    for actor, refusal in refused:
        with pytest.raises(refusal):
            register_residents(city, actor, [new()])
        with pytest.raises(refusal):
            register_households(city, actor, [])


def test_households_know_area_and_members_without_names(town: Town) -> None:
    numbers = (town.hanako.subject_no, town.kazue.subject_no)
    made = register_households(town.city, OPERATOR, [NewHousehold("中央", numbers)])
    assert list_households(town.city, System("jobs"))[-1:] == made
    assert made[0].area == "中央"
    assert made[0].subject_nos == numbers


def test_household_is_refused_when_a_member_lives_elsewhere(town: Town) -> None:
    """people.member_lives_elsewhere"""
    hanako, kazue, taro = town.hanako.subject_no, town.kazue.subject_no, town.taro.subject_no
    register_households(town.city, OPERATOR, [NewHousehold("中央", (taro,))])
    before = list_households(town.city, OPERATOR)
    for members in ((hanako, hanako), (kazue, taro)):
        with pytest.raises(MemberLivesElsewhere) as refused:
            register_households(town.city, OPERATOR, [NewHousehold("北", members)])
        assert refused.value.fields == {"subject_no": members[1]}
    assert list_households(town.city, OPERATOR) == before


def test_households_are_not_listed_for_people(town: Town) -> None:
    for actor in (town.resident(town.taro), town.staff(town.officer_id)):
        with pytest.raises(NotPermitted):
            list_households(town.city, actor)


def test_no_identity_is_visible_without_an_actor(town: Town) -> None:
    with town.city.db.connection() as conn:
        assert conn.execute(COUNT_IDENTITIES).fetchone() == (0,)
        for table in ("residents", "household_members", "representatives", "staff", "passkeys", "sessions"):
            assert conn.execute(f"select count(*) from people.{table}").fetchone() == (0,), table  # type: ignore[arg-type]


def test_identity_is_visible_to_its_person_only_and_changed_by_nobody(town: Town) -> None:
    seen: list[tuple[Actor, int]] = [
        (Anonymous(), 0),
        (Resident("res_x", town.kazue.subject_no, "res_x"), 1),
        (Resident("res_x", 999_999, "res_x"), 0),
        (Staff("stf_x", "org_x", 1, "officer"), 0),
        (Staff("stf_x", "org_x", 3, "analyst"), 0),
        (Client("cli_x", "org_x", 3, "agr_x"), 0),
        (System("jobs"), 0),
        (System("sign_in"), 0),
        (System("operator"), 0),
    ]
    for actor, visible in seen:
        with town.city.transaction(actor) as tx:
            assert len(tx.all("select subject_no from people.identities")) == visible, actor
            assert tx.execute("update people.identities set name = 'x'") == 0
            assert tx.execute("delete from people.identities") == 0


def test_identity_is_not_opened_by_an_admission(town: Town) -> None:
    with town.city.transaction(Client("cli_x", "org_x", 3, "agr_x")) as tx:
        tx.admit(agreement_no=1)
        assert tx.get(COUNT_IDENTITIES).n == 0


def test_self_shows_identity_home_and_relations(town: Town) -> None:
    register_households(town.city, OPERATOR, [NewHousehold("中央", (town.hanako.subject_no,))])
    town.appoint()
    mine = read_self(town.city, town.resident(town.hanako))
    assert (mine.identity.name, mine.identity.birth_year, mine.household_area) == ("佐藤 花子", 1950, "中央")
    assert [(relation.name, relation.role) for relation in mine.represented_by] == [("佐藤 一恵", "carer")]
    theirs = read_self(town.city, town.resident(town.kazue))
    assert [(relation.name, relation.resident_id) for relation in theirs.represents] == [
        ("佐藤 花子", town.hanako.resident_id)
    ]
    exported = export_self(town.city, town.resident(town.hanako))
    assert exported["address"] == "三方市中央0"
    assert exported["represented_by"][0]["name"] == "佐藤 一恵"


def test_language_is_chosen_for_oneself_only(town: Town) -> None:
    town.appoint()
    hanako = town.resident(town.hanako)
    choose_language(town.city, hanako, "en")
    assert read_self(town.city, hanako).identity.language == "en"
    with pytest.raises(InputIsInvalid):
        choose_language(town.city, hanako, "fr")  # type: ignore[arg-type]
    carer = Resident(town.hanako.resident_id, town.hanako.subject_no, town.kazue.resident_id, "carer", "ses_x")
    with pytest.raises(ActsForAnother):
        choose_language(town.city, carer, "ja")


def test_representative_is_appointed_by_an_officer_and_the_record_says_by_whom(town: Town) -> None:
    number = town.appoint(by=town.staff(town.officer_id))
    with town.city.transaction(OPERATOR) as tx:
        row = tx.get("select recorded_by from people.representatives where representation_no = %(no)s", no=number)
    assert row.recorded_by == town.officer_id


def test_representative_is_not_appointed_by_others(town: Town) -> None:
    for actor in (town.resident(town.kazue), town.staff(town.analyst_id), Anonymous()):
        with pytest.raises((NotPermitted, NotSignedIn)):
            town.appoint(by=actor)


def test_term_is_refused_when_it_is_empty_past_or_too_long(town: Town) -> None:
    """people.term_is_invalid"""
    for start, until in ((YEAR, YEAR), (-YEAR, timedelta(0)), (timedelta(0), 21 * YEAR)):
        with pytest.raises(TermIsInvalid):
            town.appoint(start=start, until=until)


def test_representative_is_refused_when_it_is_the_person_themself(town: Town) -> None:
    """people.represents_themself"""
    with pytest.raises(RepresentsThemself):
        appoint_representative(
            town.city,
            OPERATOR,
            town.taro.resident_id,
            representative_id=town.taro.resident_id,
            role="parent",
            valid_from=START,
            valid_until=START + YEAR,
        )


def test_overlapping_term_is_refused_until_the_first_is_ended(town: Town) -> None:
    """people.representative_is_appointed"""
    number = town.appoint()
    with pytest.raises(RepresentativeIsAppointed):
        town.appoint(start=YEAR / 2, until=2 * YEAR)
    town.appoint(start=YEAR, until=2 * YEAR)
    end_representation(town.city, OPERATOR, number)
    town.appoint(until=YEAR)
    with pytest.raises(NotFound):
        end_representation(town.city, OPERATOR, number)


def test_representative_is_not_found_when_the_resident_is_guessed(town: Town) -> None:
    with pytest.raises(NotFound):
        appoint_representative(
            town.city,
            OPERATOR,
            town.taro.resident_id[:-4] + "0000",
            representative_id=town.kazue.resident_id,
            role="carer",
            valid_from=START,
            valid_until=START + YEAR,
        )


@given(st.integers(1, 2**31 - 1), st.integers(1, 2**31 - 1), st.integers(1, 9999), st.integers(1, 9999))
def test_pseudonyms_differ_by_recipient_and_by_person(one: int, two: int, org: int, other: int) -> None:
    city = cast(City, SimpleNamespace(keys=Keys(bytes(32))))
    assert (pseudonym(city, org, one) == pseudonym(city, other, two)) == ((org, one) == (other, two))
    assert re.fullmatch(r"psn_[a-z2-7]{26}", pseudonym(city, org, one))
