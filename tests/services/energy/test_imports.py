"""Importing files: everything or nothing, once, exactly, and readable afterwards by the resident alone."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sanpo.ground.actors import Anonymous, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.lake import read_subject, snapshot
from sanpo.services.energy import import_readings, register_meters
from sanpo.services.energy import imports as imports_module
from sanpo.services.energy.errors import (
    FileHasBadRows,
    FileHasOnlyBadRows,
    FileIsAlreadyImported,
    FileIsFromAnotherZone,
    TimezoneIsUnknown,
)
from sanpo.services.energy.imports import list_imports, zone_of
from tests.services.energy.files.written import BEGIN, ZURICH, series, write

OPERATOR = System("operator")
READINGS = "energy.readings"


@pytest.fixture
def metered(city: City) -> City:
    """A city in which M1 belongs to subject 1 and M2 to subject 2."""
    register_meters(city, OPERATOR, {"M1": 1, "M2": 2})
    return city


def lake_rows(city: City) -> list[tuple[Any, ...]]:
    files = list(snapshot(city, READINGS).files)
    if not files:
        return []
    rows = duckdb.execute(
        "select subject_no, epoch(start_at)::bigint, start_local, energy_wh"
        " from read_parquet($files, hive_partitioning = false) order by all",
        {"files": files},
    )
    return rows.fetchall()


def test_readings_are_in_the_lake_with_instant_and_local_time(metered: City, tmp_path: Path) -> None:
    done = import_readings(
        metered, OPERATOR, write(tmp_path / "r.csv", [*series("M2", 2), *series("M1", 1, kwh="0.1234")])
    )
    assert (done.rows, done.readings, done.meters, done.skipped, done.rounded, done.missing) == (3, 3, 2, 0, 1, 0)
    assert done.first_start_at == BEGIN
    first = int(BEGIN.timestamp())
    local = BEGIN.replace(tzinfo=None)
    assert lake_rows(metered) == [
        (1, first, local, 123),
        (2, first, local, 250),
        (2, first + 900, local + timedelta(minutes=15), 250),
    ]


def test_local_time_is_that_of_the_zone_named(metered: City, tmp_path: Path) -> None:
    autumn = datetime(2025, 10, 26, 2, 45, tzinfo=ZURICH)
    path = write(tmp_path / "r.csv", series("M1", 2, begin=autumn))
    import_readings(metered, OPERATOR, path, timezone="Europe/Zurich")
    # The quarter after 02:45 summer time is 02:00 winter time: the doubled hour is no duplicate.
    assert [str(local) for _, _, local, _ in lake_rows(metered)] == ["2025-10-26 02:45:00", "2025-10-26 02:00:00"]


def test_resident_reads_own_imported_readings(metered: City, tmp_path: Path) -> None:
    import_readings(metered, OPERATOR, write(tmp_path / "r.csv", [*series("M1", 3), *series("M2", 4)]))
    own = read_subject(metered, Resident("res_1", 1, "res_1"), READINGS)
    assert own["energy_wh"].to_pylist() == [250] * 3


def test_file_with_a_bad_row_is_refused_whole(metered: City, tmp_path: Path) -> None:
    rows = [*series("M1", 4), ("M1", "2026-01-05T01:00:00+0900", "-1"), ("M1", "2026-01-05T01:15:00+0900", "")]
    with pytest.raises(FileHasBadRows) as caught:
        import_readings(metered, OPERATOR, write(tmp_path / "r.csv", rows))
    fields = caught.value.fields
    assert (fields["bad"], fields["rows"]) == (2, 6)
    assert fields["counts"] == {"negative_value": 1, "missing_value": 1}
    assert fields["first"][0] == {"row": 6, "meter_id": "M1", "reason": "negative_value", "found": "-1"}
    assert lake_rows(metered) == []
    assert list_imports(metered, OPERATOR) == []


def test_good_rows_are_imported_with_a_report_when_bad_ones_are_skipped(metered: City, tmp_path: Path) -> None:
    rows = [*series("M1", 4), ("M1", "2026-01-05T01:00:00+0900", "-1"), *series("M1", 1), *series("M9", 1)]
    report = tmp_path / "report.csv"
    done = import_readings(metered, OPERATOR, write(tmp_path / "r.csv", rows), skip_bad=True, report=report)
    assert (done.rows, done.readings, done.skipped) == (7, 4, 3)
    assert done.reasons == {"negative_value": 1, "duplicate": 1, "unknown_meter": 1}
    assert len(lake_rows(metered)) == 4
    assert report.read_text().splitlines() == [
        "row,meter_id,reason,found",
        "6,M1,negative_value,-1",
        "7,M1,duplicate,2026-01-05T00:00:00+09:00",
        "8,M9,unknown_meter,2026-01-05T00:00:00+09:00",
    ]


def test_only_the_first_problems_are_listed_and_all_are_counted(metered: City, tmp_path: Path) -> None:
    rows = [("M1", "2026-01-05T01:00:00+0900", "x")] * 100
    with pytest.raises(FileHasBadRows) as caught:
        import_readings(metered, OPERATOR, write(tmp_path / "r.csv", rows), report=tmp_path / "all.csv")
    assert len(caught.value.fields["first"]) == imports_module.LISTED
    assert caught.value.fields["counts"] == {"malformed_value": 100}
    assert len((tmp_path / "all.csv").read_text().splitlines()) == 101


def test_unknown_meters_are_named(metered: City, tmp_path: Path) -> None:
    with pytest.raises(FileHasBadRows) as caught:
        import_readings(
            metered, OPERATOR, write(tmp_path / "r.csv", [*series("M8", 2), *series("M7", 2), *series("M1", 1)])
        )
    assert caught.value.fields["unknown_meters"] == ["M7", "M8"]


def test_file_without_any_good_row_is_refused_even_when_bad_ones_are_skipped(metered: City, tmp_path: Path) -> None:
    with pytest.raises(FileHasOnlyBadRows):
        import_readings(metered, OPERATOR, write(tmp_path / "r.csv", series("M9", 3)), skip_bad=True)
    assert list_imports(metered, OPERATOR) == []


def test_same_file_is_imported_once(metered: City, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", series("M1", 3))
    done = import_readings(metered, OPERATOR, path)
    path.rename(tmp_path / "other name.csv")
    with pytest.raises(FileIsAlreadyImported) as caught:
        import_readings(metered, OPERATOR, tmp_path / "other name.csv", skip_bad=True)
    assert caught.value.fields["import_id"] == done.import_id
    assert len(lake_rows(metered)) == 3


def test_reading_that_was_imported_from_another_file_is_a_problem(metered: City, tmp_path: Path) -> None:
    import_readings(metered, OPERATOR, write(tmp_path / "a.csv", series("M1", 3)))
    longer = write(tmp_path / "b.csv", series("M1", 5, kwh="9"))
    with pytest.raises(FileHasBadRows) as caught:
        import_readings(metered, OPERATOR, longer)
    assert caught.value.fields["counts"] == {"already_imported": 3}
    done = import_readings(metered, OPERATOR, longer, skip_bad=True)
    assert (done.readings, done.skipped) == (2, 3)
    assert [energy for *_, energy in lake_rows(metered)] == [250] * 3 + [9000] * 2


def test_files_of_one_meter_by_day_are_all_imported(metered: City, tmp_path: Path) -> None:
    for day in range(3):
        rows = series("M1", 96, begin=BEGIN + timedelta(days=day))
        import_readings(metered, OPERATOR, write(tmp_path / f"{day}.csv", rows))
    assert len(lake_rows(metered)) == 288


def test_file_of_another_zone_is_refused_with_what_it_says(metered: City, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", series("M1", 4, begin=datetime(2026, 1, 5, tzinfo=ZURICH)))
    with pytest.raises(FileIsFromAnotherZone) as caught:
        import_readings(metered, OPERATOR, path, skip_bad=True)
    assert caught.value.fields == {"file": "r.csv", "found": "+01:00", "timezone": "Asia/Tokyo"}
    assert import_readings(metered, OPERATOR, path, timezone="Europe/Zurich").readings == 4


@pytest.mark.parametrize("name", ["Mars/Olympus", "Asia", "../../etc/passwd", "Asia/Tokyo\0"])
def test_unknown_time_zone_is_refused(name: str) -> None:
    with pytest.raises(TimezoneIsUnknown):
        zone_of(name)


def test_residents_and_analysts_import_nothing(metered: City, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv", series())
    for actor in (Resident("res_1", 1, "res_1"), Staff("stf_1", "org_1", 1, "analyst")):
        with pytest.raises(NotPermitted):
            import_readings(metered, actor, path)
    with pytest.raises(NotSignedIn):
        import_readings(metered, Anonymous(), path)


def test_officer_imports(metered: City, tmp_path: Path) -> None:
    officer = Staff("stf_1", "org_1", 1, "officer")
    assert import_readings(metered, officer, write(tmp_path / "r.csv", series("M1", 3))).readings == 3


class Crash(BaseException):
    """The process dies here."""


def test_repeat_after_a_crash_before_the_lake_commits_imports_once(
    metered: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "r.csv", series("M1", 3))

    def die(*args: Any, **more: Any) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(imports_module, "append", die)
        with pytest.raises(Crash):
            import_readings(metered, OPERATOR, path)
    assert [state for state, _ in list_imports(metered, OPERATOR)] == ["staged"]
    assert lake_rows(metered) == []
    import_readings(metered, OPERATOR, path)
    assert [state for state, _ in list_imports(metered, OPERATOR)] == ["imported"]
    assert len(lake_rows(metered)) == 3


def test_repeat_after_a_crash_behind_the_lakes_commit_imports_once(
    metered: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "r.csv", series("M1", 3))
    real = imports_module.append

    def append_and_die(*args: Any, **more: Any) -> None:
        real(*args, **more)
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(imports_module, "append", append_and_die)
        with pytest.raises(Crash):
            import_readings(metered, OPERATOR, path)
    assert len(lake_rows(metered)) == 3
    done = import_readings(metered, OPERATOR, path)
    assert done.readings == 3
    assert [state for state, _ in list_imports(metered, OPERATOR)] == ["imported"]
    assert len(lake_rows(metered)) == 3


def test_two_imports_at_once_do_not_both_bring_a_reading(metered: City, tmp_path: Path) -> None:
    paths = [write(tmp_path / f"{number}.csv", series("M1", 3 + number)) for number in range(3)]
    start, outcomes = threading.Barrier(3), []

    def work(path: Path) -> None:
        start.wait()
        try:
            outcomes.append(import_readings(metered, OPERATOR, path).readings)
        except FileHasBadRows as error:
            outcomes.append(error.fields["counts"])

    threads = [threading.Thread(target=work, args=(path,)) for path in paths]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(outcome, int) for outcome in outcomes) == 1
    rows = lake_rows(metered)
    assert len(rows) == len(set(rows))


def test_progress_counts_every_byte_of_the_file(metered: City, tmp_path: Path) -> None:
    path = write(tmp_path / "r.csv.gz", series("M1", 500), packed=True)
    seen: list[int] = []
    import_readings(metered, OPERATOR, path, progress=seen.append)
    assert sum(seen) == path.stat().st_size


def test_real_households_are_imported_whole(metered: City, shared: Path) -> None:
    """100 Swiss homes, seven weeks of quarter hours from 27 October 2014."""
    path = shared / "energy" / "households_15min.csv.gz"
    info = (shared / "energy" / "households_info.csv").read_text().splitlines()[1:]
    register_meters(metered, OPERATOR, {line.split(",")[0]: 100 + place for place, line in enumerate(info)})
    done = import_readings(metered, OPERATOR, path, timezone="Europe/Zurich")
    assert (done.rows, done.readings, done.meters, done.missing) == (470_400, 470_400, 100, 0)
    assert done.first_start_at == datetime(2014, 10, 26, 23, 0, tzinfo=UTC)
    rows = lake_rows(metered)
    assert sum(energy for *_, energy in rows) == 190_697_714
    local = [start for subject, _, start, _ in rows if subject == 100]
    assert (str(local[0]), str(local[-1])) == ("2014-10-27 00:00:00", "2014-12-14 23:45:00")
