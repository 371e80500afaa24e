"""Retention: what is older than the manifest allows goes, in one commit, and nothing else."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.ground.actors import Client, Resident, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted
from sanpo.journal import list_entries
from sanpo.lake import SnapshotIsGone, append, compact, snapshot
from sanpo.lake.errors import DatasetIsKeptForever, LakeIsBusy
from sanpo.lake.model import dataset_from_manifest
from sanpo.lake.upkeep import deletion, retain, retain_all
from tests.lake.datasets import COLUMNS, DEMO, described, things
from tests.lake.rows import READINGS
from tests.lake.upkeep.people import PEOPLE, held

OPERATOR = System("operator")
DAYS = 40
NOW = datetime(2026, 4, 1, tzinfo=UTC)
HORIZON = NOW - timedelta(days=DAYS)


@pytest.fixture
def short(city: City) -> City:
    """A city in which things are kept for 40 days."""
    return described(city, things(retention_days=DAYS))


def things_at(*moments: datetime, subject_no: int = 1) -> pa.Table:
    count = len(moments)
    return pa.table({"subject_no": [subject_no] * count, "at": moments, "kind": ["a"] * count, "amount": range(count)})


def times(city: City) -> list[datetime]:
    return sorted(row["at"] for row in held(city, DEMO))


def entries(city: City) -> list[dict[str, Any]]:
    return [entry.body for entry in list_entries(city) if entry.kind == "retention"]


def test_rows_before_the_horizon_go_and_those_at_it_stay(short: City) -> None:
    edge = [HORIZON - timedelta(microseconds=1), HORIZON, NOW]
    append(short, DEMO, things_at(HORIZON - timedelta(days=70), *edge))
    done = retain(short, OPERATOR, DEMO)
    assert (done.horizon, done.rows) == (HORIZON, 2)
    assert times(short) == [HORIZON, NOW]


def test_whole_months_are_removed_unread_and_only_the_border_is_written_anew(short: City) -> None:
    for days in (90, 60, 35, 10):
        append(short, DEMO, things_at(*(NOW - timedelta(days=days, hours=-hour) for hour in range(3))))
    append(short, DEMO, things_at(HORIZON - timedelta(hours=1), HORIZON + timedelta(hours=1)))
    for file in snapshot(short, DEMO).files:
        if "month=2025" in file or "month=2026-01" in file:
            Path(file).write_bytes(b"whoever reads this fails")
    before = snapshot(short, DEMO)
    done = retain(short, OPERATOR, DEMO)
    after = snapshot(short, DEMO)
    assert after.version == before.version + 1
    assert (done.files_removed, done.files_rewritten, done.rows) == (3, 1, 7)
    assert len(set(after.files) - set(before.files)) == 1
    assert min(times(short)) == HORIZON + timedelta(hours=1)


def test_time_that_passes_is_followed_day_by_day(short: City, clock: FixedClock) -> None:
    append(short, DEMO, things_at(*(HORIZON + timedelta(hours=6 * step) for step in range(12))))
    assert retain(short, OPERATOR, DEMO).rows == 0
    clock.advance(hours=23)
    assert retain(short, OPERATOR, DEMO).rows == 0
    clock.advance(hours=1)
    assert retain(short, OPERATOR, DEMO).rows == 4
    clock.advance(days=2)
    assert retain(short, OPERATOR, DEMO).rows == 8
    assert snapshot(short, DEMO).files == ()


def test_dry_run_says_the_same_and_changes_nothing(short: City) -> None:
    append(short, DEMO, things_at(HORIZON - timedelta(days=70), HORIZON - timedelta(hours=1), NOW))
    before = snapshot(short, DEMO)
    tried = retain(short, OPERATOR, DEMO, dry_run=True)
    assert snapshot(short, DEMO) == before
    assert entries(short) == []
    done = retain(short, OPERATOR, DEMO)
    assert (tried.rows, tried.files_removed, tried.files_rewritten) == (
        done.rows,
        done.files_removed,
        done.files_rewritten,
    )
    assert tried.entry_id is None


def test_deletion_is_in_the_journal_and_a_run_without_one_is_not(short: City) -> None:
    version = append(short, DEMO, things_at(HORIZON - timedelta(days=70), NOW))
    done = retain(short, OPERATOR, DEMO)
    retain(short, OPERATOR, DEMO)
    (entry,) = entries(short)
    assert done.entry_id is not None
    assert (entry["dataset"], entry["rows"], entry["retention_days"]) == (DEMO, 1, DAYS)
    assert (entry["version_before"], entry["version_after"]) == (version, version + 1)
    assert entry["rows_before"] == HORIZON.isoformat(timespec="milliseconds")
    assert len(entry["removed_sha256"]) == 64


def test_versions_with_expired_rows_are_gone_and_their_files_leave_the_disk(short: City, clock: FixedClock) -> None:
    version = append(short, DEMO, things_at(HORIZON - timedelta(days=70), NOW))
    old = snapshot(short, DEMO, version)
    retain_all(short)
    with pytest.raises(SnapshotIsGone):
        snapshot(short, DEMO, version)
    assert all(Path(file).exists() for file in old.files)
    clock.advance(hours=23)
    retain_all(short)
    assert [Path(file).exists() for file in old.files] == [False, True]


def test_dataset_without_a_retention_is_kept(city: City) -> None:
    from tests.lake.upkeep.people import rows_of

    append(city, READINGS, rows_of(PEOPLE, begin=datetime(2010, 1, 1, tzinfo=UTC)))
    with pytest.raises(DatasetIsKeptForever):
        retain(city, OPERATOR, READINGS)
    retain_all(city)
    assert len(held(city)) == 4 * len(PEOPLE)


def test_compaction_that_read_before_brings_nothing_back(short: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from sanpo.lake import actions as lake_actions

    for days in (90, 90, 1, 1):
        append(short, DEMO, things_at(NOW - timedelta(days=days)))
    real = lake_actions.commit_rewrite

    def commit_late(*args: Any) -> None:
        monkeypatch.setattr(lake_actions, "commit_rewrite", real)
        retain(short, OPERATOR, DEMO)
        real(*args)

    monkeypatch.setattr(lake_actions, "commit_rewrite", commit_late)
    with pytest.raises(LakeIsBusy):
        compact(short, DEMO)
    assert len(times(short)) == 2


def test_only_officers_and_duties_retain(short: City) -> None:
    for actor in (Resident("res_1", 1, "res_1"), Client("cli_1", "org_1", 1)):
        with pytest.raises(NotPermitted):
            retain(short, actor, DEMO)


def test_retention_waits_where_another_process_deletes(short: City) -> None:
    with deletion.leading(short), pytest.raises(LakeIsBusy):
        retain(short, OPERATOR, DEMO)


@pytest.mark.parametrize("change", [{"retention_days": 0}, {"retention_days": 3, "time_column": None}])
def test_retention_needs_a_time_and_a_day(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="retention_days"):
        dataset_from_manifest(things(**change))


def test_dates_expire_like_moments(city: City) -> None:
    columns = [{**column, "type": "date"} if column["name"] == "at" else column for column in COLUMNS]
    short = described(city, things(columns, retention_days=DAYS))
    days = [(HORIZON + timedelta(days=step)).date() for step in (-400, -1, 0, 1)]
    append(short, DEMO, pa.table({"subject_no": [1] * 4, "at": days, "kind": ["a"] * 4, "amount": [1] * 4}))
    assert retain(short, OPERATOR, DEMO).rows == 2
    assert times(short) == days[2:]


@settings(max_examples=settings().max_examples // 8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(-120 * 24, 40 * 24), min_size=1, max_size=6), min_size=1, max_size=4))
def test_what_is_left_is_what_the_horizon_says(short: City, batches: list[list[int]]) -> None:
    append(short, DEMO, things_at(NOW))
    before = times(short)
    for hours in batches:
        moments = [HORIZON + timedelta(hours=hour) for hour in hours]
        append(short, DEMO, things_at(*moments, subject_no=len(hours)))
        before += moments
    retain(short, OPERATOR, DEMO)
    assert times(short) == sorted(moment for moment in before if moment >= HORIZON)
    for file in snapshot(short, DEMO).files:
        subjects = pq.ParquetFile(file).read()["subject_no"].to_pylist()
        assert subjects == sorted(subjects)
