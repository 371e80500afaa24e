"""`read_subject`: a resident's own rows, all of them, and nobody else's."""

from datetime import UTC, datetime, timedelta

import pytest

from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.lake import DatasetIsUnknown, append, read_subject
from sanpo.lake import actions as lake_actions
from sanpo.lake.errors import DatasetHasNoSubjects
from sanpo.lake.model import Column, Dataset
from tests.lake.rows import BEGIN, READINGS, readings


def resident(subject_no: int) -> Resident:
    return Resident(f"res_{subject_no}", subject_no, f"res_{subject_no}")


def test_resident_reads_own_rows_in_order_of_time_over_files_and_months(city: City) -> None:
    append(city, READINGS, readings(range(5), 12))
    append(city, READINGS, readings(range(5), 4, begin=BEGIN - timedelta(hours=1)))
    own = read_subject(city, resident(3), READINGS)
    assert set(own["subject_no"].to_pylist()) == {3}
    times = own["start_at"].to_pylist()
    assert len(times) == 16
    assert times == sorted(times)


def test_resident_without_rows_reads_none(city: City) -> None:
    assert read_subject(city, resident(3), READINGS).num_rows == 0
    append(city, READINGS, readings([2, 4], 3))
    assert read_subject(city, resident(3), READINGS).num_rows == 0


def test_since_belongs_to_the_rows_and_until_does_not(city: City) -> None:
    append(city, READINGS, readings(range(3), 12))
    first, last = BEGIN + timedelta(minutes=30), BEGIN + timedelta(hours=2)
    own = read_subject(city, resident(1), READINGS, since=first, until=last)
    assert own["start_at"].to_pylist()[0] == first
    assert own["start_at"].to_pylist()[-1] == last - timedelta(minutes=15)


def test_representative_reads_the_rows_of_the_represented(city: City) -> None:
    append(city, READINGS, readings(range(3), 2))
    carer = Resident("res_1", 1, "res_2", "carer")
    assert set(read_subject(city, carer, READINGS)["subject_no"].to_pylist()) == {1}


@pytest.mark.parametrize(
    "actor", [System("operator"), Staff("stf_1", "org_1", 1, "officer"), Client("cli_1", "org_1", 1, "agr_1")]
)
def test_nobody_but_a_resident_reads_own_rows(city: City, actor: Actor) -> None:
    append(city, READINGS, readings(range(3), 2))
    with pytest.raises(NotPermitted):
        read_subject(city, actor, READINGS)


def test_own_rows_need_a_sign_in(city: City) -> None:
    with pytest.raises(NotSignedIn):
        read_subject(city, Anonymous(), READINGS)


def test_unknown_dataset_is_named_with_the_known_ones(city: City) -> None:
    with pytest.raises(DatasetIsUnknown) as caught:
        read_subject(city, resident(1), "energy.weather")
    assert "energy.readings" in caught.value.fields["known"]


def test_dataset_about_no_one_has_no_own_rows(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    weather = Dataset("energy.weather", False, (Column("at", "timestamp", "time"),), time_column="at")
    monkeypatch.setattr(lake_actions, "find_any", lambda city, name: weather)
    with pytest.raises(DatasetHasNoSubjects):
        read_subject(city, resident(1), "energy.weather")


def test_only_files_that_may_hold_the_subject_are_opened(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in range(4):
        append(city, READINGS, readings([subject], 2))
    opened: list[str] = []
    whole = lake_actions.scan
    monkeypatch.setattr(
        lake_actions, "scan", lambda fs, dataset, paths: (opened.extend(paths), whole(fs, dataset, paths))[1]
    )
    assert read_subject(city, resident(2), READINGS).num_rows == 2
    assert len(opened) == 1
    read_subject(city, resident(2), READINGS, since=datetime(2026, 2, 1, tzinfo=UTC))
    assert len(opened) == 1, "January's file is not opened for February"
