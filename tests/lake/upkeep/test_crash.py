"""Kill -9 at any step of a deletion: the duty's next turn finishes it, once, and the journal tells it once."""

from datetime import timedelta
from typing import Any

import pytest

from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.journal import list_entries
from sanpo.lake import append
from sanpo.lake.upkeep import carry_out, list_erasures, retain_all
from tests.lake.datasets import DEMO, described, things
from tests.lake.rows import READINGS
from tests.lake.upkeep.dying import end_retention, erase_at_once, killed_at
from tests.lake.upkeep.people import PEOPLE, files_naming, held, resident
from tests.lake.upkeep.test_erasure import filled
from tests.lake.upkeep.test_retention import HORIZON, NOW, things_at, times

pytestmark = pytest.mark.long

ME, *OTHERS = PEOPLE
PLACES = [
    "before deletion._plan",
    "before deletion.commit_deletion",
    "after deletion.commit_deletion",
    "before erasure._record_erased",
    "before erasure._remove",
    "after erasure.remove_files",
    "before erasure.forget_subject",
    "after erasure.forget_subject",
]


def bodies(city: City, kind: str) -> list[dict[str, Any]]:
    return [entry.body for entry in list_entries(city) if entry.kind == kind]


@pytest.mark.parametrize("place", PLACES)
def test_erasure_cut_off_is_finished_by_the_duty(city: City, clock: FixedClock, place: str) -> None:
    filled(city)
    before = held(city)
    assert killed_at(city.settings, place, erase_at_once, ME)
    carry_out(city)
    assert held(city) == [row for row in before if row["subject_no"] != ME]
    clock.advance(hours=23)
    carry_out(city)
    (done,) = list_erasures(city, resident(ME))
    assert done.state == "gone"
    assert sorted((each.dataset, each.rows) for each in done.took_out) == [("energy.homes", 1), (READINGS, 8)]
    (first,), (second,) = bodies(city, "erasure"), bodies(city, "erasure.completed")
    assert [each["rows"] for each in first["datasets"]] == [each.rows for each in done.took_out]
    assert second["erasure_entry_id"] == done.entry_id
    assert files_naming(city, ME) == []


@pytest.mark.parametrize(
    "place", ["before deletion.commit_deletion", "after deletion.commit_deletion", "before retention._record"]
)
def test_retention_cut_off_is_finished_by_the_duty(city: City, place: str) -> None:
    manifest = things(retention_days=40)
    short = described(city, manifest)
    append(short, DEMO, things_at(HORIZON - timedelta(days=50), HORIZON - timedelta(hours=1), NOW))
    assert killed_at(city.settings, place, end_retention, manifest)
    retain_all(short)
    assert times(short) == [NOW]
    (entry,) = bodies(short, "retention")
    assert entry["rows"] == 2
