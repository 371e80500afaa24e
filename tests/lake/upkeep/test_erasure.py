"""Erasure: nothing of the person is left in any file, everything of everybody else is, and the journal says so."""

from dataclasses import replace as change
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.journal import list_entries, prove_entry, sequence, verify
from sanpo.lake import SnapshotIsGone, append, compact, read_subject, replace, snapshot
from sanpo.lake.errors import FileIsBroken, LakeIsBusy
from sanpo.lake.layout import range_folder
from sanpo.lake.upkeep import ask_erasure, carry_out, deletion, erase_subject, list_erasures
from tests.lake.rows import BEGIN, READINGS
from tests.lake.upkeep.people import PEOPLE, files_naming, held, homes_of, resident, rows_of

HOMES = "energy.homes"
OPERATOR = System("operator")
ME, *OTHERS = PEOPLE


def filled(city: City) -> None:
    """Two months of everybody, a later file of mine alone, and everybody's home."""
    append(city, READINGS, rows_of(PEOPLE))
    append(city, READINGS, rows_of([ME], begin=BEGIN + timedelta(days=1)))
    replace(city, HOMES, homes_of(*PEOPLE))


def entries(city: City, kind: str) -> list[dict[str, Any]]:
    return [entry.body for entry in list_entries(city) if entry.kind == kind]


def test_erased_resident_is_in_no_dataset_and_everybody_else_is(city: City) -> None:
    filled(city)
    readings, homes = held(city), held(city, HOMES)
    done = erase_subject(city, OPERATOR, ME)
    assert done.state == "erased"
    assert held(city) == [row for row in readings if row["subject_no"] != ME]
    assert held(city, HOMES) == [row for row in homes if row["subject_no"] != ME]
    assert read_subject(city, resident(ME), READINGS).num_rows == 0


def test_erasure_is_one_commit_for_each_dataset_and_rewrites_only_files_that_hold_the_resident(city: City) -> None:
    filled(city)
    append(city, READINGS, rows_of(OTHERS[:1], begin=BEGIN + timedelta(days=60)))
    before = snapshot(city, READINGS)
    done = erase_subject(city, OPERATOR, ME)
    after = snapshot(city, READINGS)
    assert after.version == before.version + 1
    assert [(each.dataset, each.rows, each.files_rewritten, len(each.removed)) for each in done.took_out] == [
        (HOMES, 1, 1, 1),
        (READINGS, 8, 2, 3),
    ]
    kept = set(before.files) & set(after.files)
    assert {file for file in kept if "subject_range" in file} == kept
    assert len(before.files) - len(kept) == 3
    for file in after.files:
        subjects = pq.ParquetFile(file).read()["subject_no"].to_pylist()
        assert subjects == sorted(subjects)


def test_old_versions_are_gone_at_once_and_others_can_still_be_read(city: City) -> None:
    other = PEOPLE[-1]
    first = append(city, READINGS, rows_of([other]))
    second = append(city, READINGS, rows_of([ME, OTHERS[0]]))
    erase_subject(city, OPERATOR, ME)
    third = append(city, READINGS, rows_of([OTHERS[1]]))
    fourth = append(city, READINGS, rows_of([OTHERS[2]]))
    with pytest.raises(SnapshotIsGone):
        snapshot(city, READINGS, second)
    assert [len(snapshot(city, READINGS, version).files) for version in (first, third)] == [2, 6]
    assert snapshot(city, READINGS, fourth) == snapshot(city, READINGS)


def test_version_from_before_a_compaction_is_gone_when_its_successor_held_the_resident(city: City) -> None:
    first = append(city, READINGS, rows_of([ME]))
    append(city, READINGS, rows_of(OTHERS[:1]))
    compact(city, READINGS)
    erase_subject(city, OPERATOR, ME)
    with pytest.raises(SnapshotIsGone):
        snapshot(city, READINGS, first)


def test_question_under_way_reads_the_old_files_until_the_grace_is_over(city: City, clock: FixedClock) -> None:
    filled(city)
    under_way = snapshot(city, READINGS)
    done = erase_subject(city, OPERATOR, ME)
    assert done.gone_by == city.now() + timedelta(hours=city.settings.lake_removal_hours)
    clock.advance(hours=22)
    carry_out(city)
    assert all(Path(file).exists() for file in under_way.files)
    clock.advance(hours=1)
    carry_out(city)
    removed = [
        f"{under_way.root}/{name}" for each in done.took_out if each.dataset == READINGS for name in each.removed
    ]
    assert removed
    assert not [file for file in removed if Path(file).exists()]
    (seen,) = list_erasures(city, resident(ME))
    assert seen.state == "gone"
    assert seen.gone_at is not None
    assert seen.gone_by is not None
    assert seen.gone_at <= seen.gone_by


def test_no_file_names_the_resident_when_the_files_are_gone(city: City) -> None:
    filled(city)
    assert any(name.endswith(".parquet") for name in files_naming(city, ME)), "the scan would find them"
    assert any("_delta_log" in name for name in files_naming(city, ME))
    done = erase_subject(city, OPERATOR, ME, now=True)
    assert done.state == "gone"
    assert files_naming(city, ME) == []
    append(city, READINGS, rows_of(OTHERS[:1]))
    assert len(snapshot(city, READINGS).files) == 6, "the table goes on after its log was cut"


def test_files_of_before_and_of_writers_that_broke_off_go_too(city: City, clock: FixedClock) -> None:
    filled(city)
    append(city, READINGS, rows_of(OTHERS))
    compact(city, READINGS)
    folder = next(Path(city.lake_url).glob(f"energy/readings/month=*/{range_folder(ME)}"))
    broken_off = folder / "0123.parquet"
    pq.write_table(rows_of([ME]), broken_off)
    at_once = erase_subject(city, OPERATOR, ME, now=True)
    assert at_once.state == "erased", "what may be about to be committed stays for the grace"
    left = [name for name in files_naming(city, ME) if "_delta_log" not in name]
    assert left == [str(broken_off.relative_to(city.lake_url))]
    clock.advance(hours=23)
    carry_out(city)
    assert files_naming(city, ME) == []
    assert list_erasures(city, resident(ME))[0].state == "gone"


def test_journal_proves_the_erasure_twice_and_names_nobody(city: City) -> None:
    filled(city)
    done = erase_subject(city, OPERATOR, ME, now=True)
    (first,), (second,) = entries(city, "erasure"), entries(city, "erasure.completed")
    assert first["datasets"] == [each.as_public() for each in done.took_out]
    assert [(each["dataset"], each["rows"]) for each in first["datasets"]] == [(HOMES, 1), (READINGS, 8)]
    assert second["erasure_entry_id"] == done.entry_id
    assert [each["removed_sha256"] for each in second["datasets"]] == [each.removed_sha256 for each in done.took_out]
    assert str(ME) not in str(list_entries(city))
    sequence(city)
    key = city.keys.vkey(city.settings.journal_origin)
    for entry_id in (done.entry_id, done.gone_entry_id):
        mine, theirs = (prove_entry(city, resident(one), str(entry_id)) for one in (ME, OTHERS[0]))
        assert verify(mine, key).subject_no == ME
        assert verify(theirs, key).subject_no is None


def test_erasure_of_a_resident_without_rows_is_proved_too(city: City) -> None:
    append(city, READINGS, rows_of(OTHERS))
    done = erase_subject(city, OPERATOR, ME)
    assert done.state == "gone"
    assert entries(city, "erasure")[0]["datasets"] == []


def test_resident_asks_and_the_duty_carries_it_out(city: City) -> None:
    filled(city)
    asked = ask_erasure(city, resident(ME))
    assert ask_erasure(city, resident(ME)) == asked, "asked twice it is the same"
    assert asked.state == "asked"
    assert len(held(city)) == len(PEOPLE) * 4 + 4
    carry_out(city)
    carry_out(city)
    assert [each.state for each in list_erasures(city, resident(ME))] == ["erased"]
    assert len(entries(city, "erasure")) == 1
    assert len(held(city)) == len(OTHERS) * 4


def test_rows_that_come_later_are_new_and_can_be_erased_again(city: City) -> None:
    filled(city)
    erase_subject(city, OPERATOR, ME)
    append(city, READINGS, rows_of([ME], begin=BEGIN + timedelta(days=90)))
    assert read_subject(city, resident(ME), READINGS).num_rows == 4
    again = erase_subject(city, OPERATOR, ME, now=True)
    assert [each.rows for each in again.took_out] == [4]
    assert [each.state for each in list_erasures(city, resident(ME))] == ["gone", "gone"]


def test_representative_asks_for_the_represented_and_nobody_sees_anothers(city: City) -> None:
    carer = Resident(f"res_{ME}", ME, "res_carer", "carer")
    asked = ask_erasure(city, carer)
    assert (asked.subject_no, asked.asked_as) == (ME, "carer")
    assert list_erasures(city, resident(ME)) == [asked]
    assert list_erasures(city, resident(OTHERS[0])) == []


@pytest.mark.parametrize(
    ("actor", "error"),
    [
        (Anonymous(), NotSignedIn),
        (Staff("stf_1", "org_1", 1, "officer"), NotPermitted),
        (Client("cli_1", "org_1", 1), NotPermitted),
        (System("service:energy"), NotPermitted),
        (resident(ME), NotPermitted),
    ],
    ids=["nobody", "officer", "client", "service", "resident"],
)
def test_nobody_but_the_operator_erases_by_number(city: City, actor: Actor, error: type[Exception]) -> None:
    filled(city)
    with pytest.raises(error):
        erase_subject(city, actor, ME)
    assert read_subject(city, resident(ME), READINGS).num_rows == 8


@pytest.mark.parametrize("actor", [OPERATOR, Staff("stf_1", "org_1", 1, "officer"), Client("cli_1", "org_1", 1)])
def test_nobody_but_a_resident_asks(city: City, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        ask_erasure(city, actor)


def test_append_during_an_erasure_is_kept_and_its_rows_of_the_resident_are_not(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled(city)
    real = deletion.commit_deletion

    def commit_late(*args: Any) -> None:
        monkeypatch.setattr(deletion, "commit_deletion", real)
        append(city, READINGS, rows_of([ME, OTHERS[0]], begin=BEGIN + timedelta(days=90)))
        real(*args)

    monkeypatch.setattr(deletion, "commit_deletion", commit_late)
    replace(city, HOMES, homes_of(*OTHERS))
    done = erase_subject(city, OPERATOR, ME)
    assert read_subject(city, resident(ME), READINGS).num_rows == 0
    assert read_subject(city, resident(OTHERS[0]), READINGS).num_rows == 8
    assert [each.rows for each in done.took_out] == [8, 4]


def test_erasure_begins_anew_when_another_rewrite_came_first(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(city)
    real = deletion.commit_deletion

    def commit_late(*args: Any) -> None:
        monkeypatch.setattr(deletion, "commit_deletion", real)
        compact(city, READINGS)
        real(*args)

    monkeypatch.setattr(deletion, "commit_deletion", commit_late)
    replace(city, HOMES, homes_of(*OTHERS))
    done = erase_subject(city, OPERATOR, ME, now=True)
    assert [each.rows for each in done.took_out] == [8]
    assert files_naming(city, ME) == []
    assert len(held(city)) == len(OTHERS) * 4


def test_compaction_that_read_before_an_erasure_brings_nothing_back(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanpo.lake import actions as lake_actions

    filled(city)
    real = lake_actions.commit_rewrite

    def commit_late(*args: Any) -> None:
        monkeypatch.setattr(lake_actions, "commit_rewrite", real)
        erase_subject(city, OPERATOR, ME)
        real(*args)

    monkeypatch.setattr(lake_actions, "commit_rewrite", commit_late)
    with pytest.raises(LakeIsBusy):
        compact(city, READINGS)
    assert read_subject(city, resident(ME), READINGS).num_rows == 0


def test_second_process_leaves_an_erasure_to_the_first(city: City) -> None:
    filled(city)
    with deletion.leading(city) as leads:
        assert leads is not None
        assert erase_subject(city, OPERATOR, ME).state == "asked"
    carry_out(city)
    assert list_erasures(city, resident(ME))[0].state == "erased"


@pytest.mark.parametrize("place", ["commit_deletion", "land"])
def test_erasure_that_breaks_off_beside_its_commit_is_finished_by_the_duty(
    city: City, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """`upkeep/test_crash.py` does the same with kill -9, at every step."""
    filled(city)
    with monkeypatch.context() as patch:
        patch.setattr(deletion, place, lambda *args: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            erase_subject(city, OPERATOR, ME)
    carry_out(city)
    (done,) = list_erasures(city, resident(ME))
    assert [(each.dataset, each.rows) for each in done.took_out] == [(HOMES, 1), (READINGS, 8)]
    assert len(entries(city, "erasure")) == 1
    assert read_subject(city, resident(ME), READINGS).num_rows == 0


def test_failed_erasure_holds_up_no_other(city: City) -> None:
    append(city, READINGS, rows_of(PEOPLE[:1]))
    append(city, READINGS, rows_of(PEOPLE[-1:]))
    broken = next(file for file in snapshot(city, READINGS).files if range_folder(ME) in file)
    Path(broken).write_bytes(Path(broken).read_bytes()[:100])
    for one in (ME, PEOPLE[-1]):
        ask_erasure(city, resident(one))
    with pytest.raises(FileIsBroken) as caught:
        carry_out(city)
    assert caught.value.fields["file"] in broken
    states = [list_erasures(city, resident(one))[0].state for one in (ME, PEOPLE[-1])]
    assert states == ["asked", "erased"]


SOME = st.lists(st.sampled_from(PEOPLE), min_size=1, max_size=4, unique=True)
STEPS = st.lists(st.one_of(st.just("compact"), st.tuples(SOME, st.integers(1, 4), st.integers(0, 40))), max_size=6)


@settings(max_examples=settings().max_examples // 4, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, last=SOME, gone=st.sampled_from(PEOPLE))
def test_whatever_came_before_nothing_of_the_erased_is_left_and_all_of_the_others(
    city: City, tmp_path: Path, steps: list[Any], last: list[int], gone: int
) -> None:
    fresh = change(city, settings=change(city.settings, lake_url=str(tmp_path / uuid4().hex)))
    for step in [*steps, (last, 3, 0)]:
        if step == "compact":
            compact(fresh, READINGS)
        else:
            append(fresh, READINGS, rows_of(step[0], step[1], begin=BEGIN + timedelta(days=step[2])))
    replace(fresh, HOMES, homes_of(*last))
    before = {name: held(fresh, name) for name in (READINGS, HOMES)}
    untouched = {
        file: Path(file).read_bytes()
        for file in snapshot(fresh, READINGS).files
        if gone not in pq.ParquetFile(file).read()["subject_no"].to_pylist()
    }
    done = erase_subject(fresh, OPERATOR, gone, now=True)
    assert done.state == "gone"
    assert files_naming(fresh, gone) == []
    for name, rows in before.items():
        assert held(fresh, name) == [row for row in rows if row["subject_no"] != gone]
    assert {file: Path(file).read_bytes() for file in untouched} == untouched
    assert untouched.keys() <= set(snapshot(fresh, READINGS).files)
