"""Compaction and replacement: rows stay what they are, whoever else writes meanwhile."""

from dataclasses import replace as change
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sanpo.ground.city import City
from sanpo.lake import SnapshotIsGone, append, compact, jobs, layout, replace, snapshot
from sanpo.lake import actions as lake_actions
from sanpo.lake.actions import list_holdings
from sanpo.lake.errors import LakeIsBusy
from tests.lake.rows import READINGS, readings
from tests.lake.test_append import held

HOMES = "energy.homes"


def homes(*subjects: int, area: str = "中央") -> pa.Table:
    return pa.table(
        {
            "subject_no": list(subjects),
            "area": [area] * len(subjects),
            "dwelling_type": ["detached"] * len(subjects),
            "heating_type": ["gas"] * len(subjects),
            "occupants": [2] * len(subjects),
        }
    )


def test_compaction_joins_files_and_keeps_rows_and_order(city: City) -> None:
    for subject in (5, 3, 4):
        append(city, READINGS, readings([subject], 12))
    before = held(city)
    done = compact(city, READINGS)
    assert (done.files_before, done.files_after, done.rows) == (6, 2, 36)
    assert held(city) == before
    for file in snapshot(city, READINGS).files:
        subjects = pq.ParquetFile(file).read()["subject_no"].to_pylist()
        assert subjects == sorted(subjects)


def test_compaction_has_nothing_to_do_the_second_time(city: City) -> None:
    for subject in range(3):
        append(city, READINGS, readings([subject], 2))
    compact(city, READINGS)
    version = snapshot(city, READINGS).version
    assert compact(city, READINGS).files_before == 0
    assert snapshot(city, READINGS).version == version


def test_compaction_leaves_a_partition_of_full_files_alone(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    from sanpo.lake import files, sorting

    monkeypatch.setattr(files, "ROWS_PER_FILE", 8)
    monkeypatch.setattr(layout, "ROWS_PER_FILE", 8)
    monkeypatch.setattr(files, "ROWS_PER_GROUP", 4)
    monkeypatch.setattr(sorting, "ROWS_PER_GROUP", 4)
    append(city, READINGS, readings(range(10), 2))
    assert len(snapshot(city, READINGS).files) == 3
    assert compact(city, READINGS).files_before == 0


def test_append_during_a_compaction_is_kept(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    for subject in range(2):
        append(city, READINGS, readings([subject], 2))
    real = lake_actions.commit_rewrite

    def commit_late(*args: object) -> object:
        monkeypatch.setattr(lake_actions, "commit_rewrite", real)
        append(city, READINGS, readings([7], 2))
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(lake_actions, "commit_rewrite", commit_late)
    compact(city, READINGS)
    assert {subject for subject, _ in held(city)} == {0, 1, 7}
    assert len(held(city)) == 6


def test_second_of_two_compactions_at_once_is_refused_and_changes_nothing(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    for subject in range(2):
        append(city, READINGS, readings([subject], 2))
    real = lake_actions.commit_rewrite

    def commit_late(*args: object) -> object:
        monkeypatch.setattr(lake_actions, "commit_rewrite", real)
        compact(city, READINGS)
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(lake_actions, "commit_rewrite", commit_late)
    with pytest.raises(LakeIsBusy):
        compact(city, READINGS)
    assert len(held(city)) == 4, "no row is there twice"


def test_replacement_puts_new_rows_in_the_place_of_all(city: City) -> None:
    replace(city, HOMES, homes(1, 2, 3))
    replace(city, HOMES, homes(2, 4, area="川東"))
    files = snapshot(city, HOMES).files
    assert len(files) == 1
    assert pq.ParquetFile(files[0]).read().to_pylist() == homes(2, 4, area="川東").to_pylist()


def test_replacement_by_nothing_empties(city: City) -> None:
    replace(city, HOMES, homes(1))
    replace(city, HOMES, homes().cast(snapshot(city, HOMES).dataset.schema))
    assert snapshot(city, HOMES).files == ()


def test_version_that_never_was_is_gone(city: City) -> None:
    append(city, READINGS, readings([1], 1))
    with pytest.raises(SnapshotIsGone):
        snapshot(city, READINGS, 99)


def test_holdings_count_files_rows_and_bytes(city: City) -> None:
    append(city, READINGS, readings(range(3), 12))
    held_now = {holding.dataset.name: holding for holding in list_holdings(city)}
    assert (held_now[READINGS].files, held_now[READINGS].rows) == (2, 36)
    assert held_now[READINGS].bytes > 0
    assert (held_now[HOMES].files, held_now[HOMES].rows) == (0, 0)


def test_job_compacts_crowded_partitions_only(city: City) -> None:
    for subject in range(jobs.SPARE_FILES):
        append(city, READINGS, readings([subject], 1))
    jobs.compact_all(city)
    assert len(snapshot(city, READINGS).files) == jobs.SPARE_FILES
    append(city, READINGS, readings([99], 1))
    jobs.compact_all(city)
    assert len(snapshot(city, READINGS).files) == 1


def test_files_taken_out_stay_for_a_day_and_then_go(city: City) -> None:
    for subject in range(2):
        append(city, READINGS, readings([subject], 1))
    old = snapshot(city, READINGS)
    compact(city, READINGS)
    assert all(pq.ParquetFile(file).metadata.num_rows for file in old.files), "a question under way can still read"
    compact(change(city, settings=change(city.settings, lake_removal_hours=1)), READINGS)
    assert not [file for file in old.files if Path(file).exists()]
    assert len(held(city)) == 2
