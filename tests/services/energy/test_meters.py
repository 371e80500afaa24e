"""Meters and homes, and the second wall around them."""

import pyarrow.parquet as pq
import pytest
from psycopg.errors import InsufficientPrivilege

from sanpo.ground.actors import Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.lake import snapshot
from sanpo.services.energy import (
    Home,
    find_home,
    list_meters,
    publish_homes,
    register_homes,
    register_meters,
)
from sanpo.services.energy.errors import HomeIsInvalid, MeterIdIsInvalid, MeterIsAlreadyRegistered
from sanpo.services.energy.model import check_home, check_meter_id

OPERATOR = System("operator")
ANALYST, OFFICER = Staff("stf_1", "org_1", 1, "analyst"), Staff("stf_2", "org_1", 1, "officer")


def resident(subject_no: int) -> Resident:
    return Resident(f"res_{subject_no}", subject_no, f"res_{subject_no}")


def test_resident_sees_own_meters_only(city: City) -> None:
    register_meters(city, OFFICER, {"M1": 1, "M2": 2, "M3": 1})
    assert [meter.meter_id for meter in list_meters(city, resident(1))] == ["M1", "M3"]
    assert list_meters(city, resident(3)) == []
    with pytest.raises(NotPermitted):
        list_meters(city, OFFICER)
    with pytest.raises(NotSignedIn):
        list_meters(city, Anonymous())


def test_meter_can_be_registered_again_for_the_same_resident_only(city: City) -> None:
    first = register_meters(city, OPERATOR, {"M1": 1})
    assert register_meters(city, OPERATOR, {"M1": 1, "M2": 1})[0].meter_no == first[0].meter_no
    with pytest.raises(MeterIsAlreadyRegistered) as caught:
        register_meters(city, OPERATOR, {"M9": 2, "M1": 2})
    assert caught.value.fields == {"meter_id": "M1"}
    assert [meter.meter_id for meter in list_meters(city, resident(2))] == [], "none of them was registered"


@pytest.mark.parametrize("meter_id", ["", "a b", "a,b", 'a"b', "x" * 65, "a\nb"])
def test_meter_needs_a_name_that_files_can_carry(meter_id: str) -> None:
    with pytest.raises(MeterIdIsInvalid):
        check_meter_id(meter_id)


def test_homes_are_copied_to_the_lake(city: City) -> None:
    register_homes(city, OPERATOR, [Home(2, "川東", "apartment", "gas", 3), Home(1, "中央")])
    register_homes(city, OPERATOR, [Home(1, "城北", "detached", "heat_pump", 4)])
    assert publish_homes(city, OPERATOR) == 2
    (file,) = snapshot(city, "energy.homes").files
    assert [tuple(row.values()) for row in pq.ParquetFile(file).read().to_pylist()] == [
        (1, "城北", "detached", "heat_pump", 4),
        (2, "川東", "apartment", "gas", 3),
    ]
    assert find_home(city, resident(1)) == Home(1, "城北", "detached", "heat_pump", 4)
    assert find_home(city, resident(3)) is None


@pytest.mark.parametrize(
    "home",
    [
        Home(1, ""),
        Home(1, "x" * 41),
        Home(1, "中央", "castle"),
        Home(1, "中央", heating_type="fire"),
        Home(1, "中央", occupants=-1),
    ],
)
def test_home_is_described_by_known_values(home: Home) -> None:
    with pytest.raises(HomeIsInvalid):
        check_home(home)


def test_wrong_meter_or_home_stops_all_that_came_with_it(city: City) -> None:
    with pytest.raises(HomeIsInvalid):
        register_homes(city, OPERATOR, [Home(2, "中央"), Home(1, "")])
    assert find_home(city, resident(2)) is None
    with pytest.raises(MeterIdIsInvalid):
        register_meters(city, OPERATOR, {"M1": 2, "M 2": 2})
    assert list_meters(city, resident(2)) == []


def test_residents_and_analysts_register_nothing(city: City) -> None:
    for actor in (resident(1), ANALYST):
        with pytest.raises(NotPermitted):
            register_meters(city, actor, {"M1": 1})
        with pytest.raises(NotPermitted):
            register_homes(city, actor, [Home(1, "中央")])
        with pytest.raises(NotPermitted):
            publish_homes(city, actor)


def test_second_wall_hides_personal_rows_from_everyone_without_a_duty(city: City) -> None:
    register_meters(city, OPERATOR, {"M1": 1, "M2": 2})
    register_homes(city, OPERATOR, [Home(1, "中央"), Home(2, "川東")])
    for table in ("meters", "homes"):
        statement = f"select subject_no from energy.{table} order by 1"
        for actor in (
            Anonymous(),
            ANALYST,
            Client("cli_1", "org_1", 1, "agr_1"),
            System("service:energy"),
            resident(3),
        ):
            with city.transaction(actor) as tx:
                assert tx.all(statement) == [], actor
        with city.transaction(resident(2)) as tx:
            assert [row.subject_no for row in tx.all(statement)] == [2]


def test_second_wall_stops_a_resident_from_writing_meters_and_others_homes(city: City) -> None:
    insert_meter = "insert into energy.meters (meter_id, subject_no, registered_at) values ('M1', 1, now())"
    insert_home = "insert into energy.homes values (2, 'x', 'detached', 'gas', 1, now())"
    for statement in (insert_meter, insert_home):
        with pytest.raises(InsufficientPrivilege), city.transaction(resident(1)) as tx:
            tx.execute(statement)
