"""Open data in the city: imported whole, once, by an officer; seen by every process at once; written by one way only."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sanpo import app
from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Database
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.ground.plugins import Service, ServiceIsBroken
from sanpo.lake import DatasetIsUnknown, compact, get_dataset, import_open, list_datasets, snapshot
from sanpo.lake import actions as lake_actions
from sanpo.lake import imports as lake_imports
from sanpo.lake.actions import list_holdings
from sanpo.lake.catalogue import _datasets_of
from sanpo.lake.errors import DescriptorIsInvalid, OpenFileHasBadRows, OpenFileIsUnreadable
from sanpo.lake.imports import ImportOutcome
from sanpo.lake.opendata import read_descriptor
from sanpo.lake.registry import open_datasets
from tests.lake.open_data import GUIDES, SHOPS, column, described, document, held, shops, write
from tests.world import OPERATOR

OFFICER = Staff("stf_1", "org_1", 1, "officer")


def take(
    city: City, tmp_path: Path, *rows: str, actor: Actor = OPERATOR, skip_bad: bool = False, **changes: Any
) -> Any:
    return import_open(city, actor, described(**changes), shops(tmp_path, *rows), skip_bad=skip_bad)


def test_imported_rows_are_a_dataset_of_the_catalogue(city: City, tmp_path: Path) -> None:
    done = take(city, tmp_path, "魚屋,焼津,3", "本屋,大井川,2")
    assert (done.outcome, done.rows, done.skipped) == (ImportOutcome.ADDED, 2, 0)
    assert held(city) == [("本屋", "大井川", 2), ("魚屋", "焼津", 3)]
    dataset = get_dataset(city, SHOPS)
    assert dataset.is_open
    assert not dataset.personal
    assert dataset.attribution == "三方市, https://example.jp/shops, 2026-03-31, CC BY 4.0"
    assert [each.name for each in list_datasets(city)] == ["cash.purchases", "energy.homes", "energy.readings", SHOPS]
    assert [(each.dataset.name, each.rows) for each in list_holdings(city)][-1] == (SHOPS, 2)


def test_same_content_again_changes_nothing(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    version, before = snapshot(city, SHOPS).version, open_datasets(city)[SHOPS]
    done = take(city, tmp_path, "魚屋,焼津,3")
    assert (done.outcome, done.rows) == (ImportOutcome.UNCHANGED, 1)
    assert snapshot(city, SHOPS).version == version
    assert open_datasets(city)[SHOPS] == before


def test_same_content_is_imported_again_when_the_lake_has_lost_it(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    lake_actions.replace(city, SHOPS, get_dataset(city, SHOPS).schema.empty_table())
    assert take(city, tmp_path, "魚屋,焼津,3").outcome == ImportOutcome.REPLACED
    assert held(city) == [("魚屋", "焼津", 3)]


def test_new_content_replaces_the_old_in_one_commit(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3", "本屋,大井川,2")
    old = snapshot(city, SHOPS)
    assert take(city, tmp_path, "花屋,小川,1").outcome == ImportOutcome.REPLACED
    assert held(city) == [("花屋", "小川", 1)]
    assert snapshot(city, SHOPS).version == old.version + 1
    assert snapshot(city, SHOPS, old.version).files == old.files


def test_other_columns_come_in_the_same_commit(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    version = snapshot(city, SHOPS).version
    columns = [column("area"), column("staff", "float64", "measure"), column("shop")]
    take(city, tmp_path, "魚屋,焼津,2.5", columns=columns)
    assert held(city) == [("焼津", 2.5, "魚屋")]
    assert snapshot(city, SHOPS).version == version + 1
    assert get_dataset(city, SHOPS).schema.names == ["area", "staff", "shop"]
    assert compact(city, SHOPS).files_before == 0


def test_file_with_a_bad_row_changes_nothing_and_names_it(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    with pytest.raises(OpenFileHasBadRows) as caught:
        take(city, tmp_path, "花屋,小川,1", "本屋,小川,many", "靴屋,,2")
    fields = caught.value.fields
    assert (fields["bad"], fields["rows"], fields["counts"]) == (2, 3, {"not_whole": 1, "empty": 1})
    assert fields["first"][0] == {
        "file": "shops.csv", "row": 3, "column": "staff", "reason": "not_whole", "found": "many"
    }  # fmt: skip
    assert held(city) == [("魚屋", "焼津", 3)]
    assert open_datasets(city)[SHOPS].rows == 1


def test_bad_rows_are_left_out_when_asked_and_reported(city: City, tmp_path: Path) -> None:
    file, report = shops(tmp_path, "花屋,小川,1", "本屋,小川,many"), tmp_path / "report.csv"
    done = import_open(city, OPERATOR, described(), file, skip_bad=True, report=report)
    assert (done.rows, done.skipped, done.reasons) == (1, 1, {"not_whole": 1})
    assert report.read_text().splitlines() == ["file,row,column,reason,found", "shops.csv,3,staff,not_whole,many"]
    assert open_datasets(city)[SHOPS].skipped == 1


@pytest.mark.parametrize("rows", [["本屋,小川,many"], []], ids=["only bad ones", "none"])
def test_import_of_no_row_is_refused_even_when_bad_ones_may_be_left_out(
    city: City, tmp_path: Path, rows: list[str]
) -> None:
    with pytest.raises(OpenFileHasBadRows):
        take(city, tmp_path, *rows, skip_bad=True)
    assert SHOPS not in open_datasets(city)


UNIQUE: dict[str, Any] = {
    "columns": [column("at", "timestamp", "time"), column("at_local", "timestamp", "time"), column("area")],
    "keys": [
        {"name": "hour", "kind": "time", "column": "at", "unit": "hour"},
        {"name": "area", "kind": "area", "column": "area"},
    ],
    "time_column": "at",
    "local_column": "at_local",
}


def test_rows_that_share_unique_keys_are_bad_from_the_second_on(city: City, tmp_path: Path) -> None:
    rows = ["2026-01-01T00:00,a", "2026-01-01T00:59,b", "2026-01-01T00:30,a", "2026-01-01T01:00,a"]
    file = write(tmp_path, ["at,area", *rows])
    both = described(**UNIQUE, unique=["hour", "area"])
    with pytest.raises(OpenFileHasBadRows) as caught:
        import_open(city, OPERATOR, both, file)
    (problem,) = caught.value.fields["first"]
    assert (problem["row"], problem["reason"], problem["column"]) == (4, "repeated_key", "at, area")
    assert import_open(city, OPERATOR, both, file, skip_bad=True).rows == 3
    hours = described(**UNIQUE, unique=["hour"])
    with pytest.raises(OpenFileHasBadRows) as caught:
        import_open(city, OPERATOR, hours, file)
    assert caught.value.fields["counts"] == {"repeated_key": 2}


def test_hours_are_cut_on_the_clock_on_the_wall(city: City, tmp_path: Path) -> None:
    """In India the half hour is UTC's whole one: two readings that share an hour there do not in UTC."""
    there = replace(city, settings=replace(city.settings, timezone="Asia/Kolkata"))
    file = write(tmp_path, ["at,area", "2026-01-01T00:10,a", "2026-01-01T00:40,a"])
    with pytest.raises(OpenFileHasBadRows):
        import_open(there, OPERATOR, described(**UNIQUE, unique=["hour"]), file)


def test_open_data_with_a_time_is_one_file_however_many_months_it_has(city: City, tmp_path: Path) -> None:
    rows = [f"2026-{month:02d}-01T00:00,a" for month in range(1, 13)]
    import_open(city, OPERATOR, described(**UNIQUE), write(tmp_path, ["at,area", *rows]))
    assert len(snapshot(city, SHOPS).files) == 1


# Who may, and what a failure leaves ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "actor",
    [Resident("res_1", 1, "res_1"), Staff("stf_2", "org_2", 2, "analyst"), Client("cli_1", "org_1", 1, "agr_1")],
)
def test_nobody_but_an_officer_imports(city: City, tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        take(city, tmp_path, "魚屋,焼津,3", actor=actor)
    with pytest.raises(NotSignedIn):
        take(city, tmp_path, "魚屋,焼津,3", actor=Anonymous())


def test_officer_of_the_city_imports(city: City, tmp_path: Path) -> None:
    assert take(city, tmp_path, "魚屋,焼津,3", actor=OFFICER).rows == 1


def test_registry_is_written_by_its_one_way_only_and_read_by_all(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    put = "select lake.put_open_dataset('open.x', '{}', repeat('0', 64), 1, 0, 'me', now())"
    statements = [
        put,
        "insert into lake.open_datasets values ('open.x', '{}', repeat('0', 64), 1, 0, 'me', now(), 99)",
        "update lake.open_datasets set rows = 0",
        "delete from lake.open_datasets",
        "truncate lake.open_datasets",
        "select nextval('lake.open_revisions')",
    ]
    with psycopg.connect(city.settings.database_url, autocommit=True) as conn:
        for statement in statements:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
        assert conn.execute("select count(*) from lake.open_datasets").fetchone() == (1,)
    with pytest.raises(psycopg.errors.InsufficientPrivilege), city.transaction(Staff("s", "o", 1, "analyst")) as tx:
        tx.execute(put)


def test_failure_of_the_lake_leaves_the_registry_as_it_was(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(city, tmp_path, "魚屋,焼津,3")

    def full(*args: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(lake_imports, "replace_rows", full)
        with pytest.raises(OSError, match="disk full"):
            take(city, tmp_path, "花屋,小川,1")
    assert open_datasets(city)[SHOPS].rows == 1
    assert held(city) == [("魚屋", "焼津", 3)]


def test_import_that_was_cut_off_before_the_registry_is_done_by_its_repetition(
    city: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut(*args: object) -> None:
        lake_actions.replace_rows(*args)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(lake_imports, "replace_rows", cut)
        with pytest.raises(KeyboardInterrupt):
            take(city, tmp_path, "魚屋,焼津,3")
    assert SHOPS not in open_datasets(city)
    assert take(city, tmp_path, "魚屋,焼津,3").outcome == ImportOutcome.ADDED
    assert held(city) == [("魚屋", "焼津", 3)]


# The registry ----------------------------------------------------------------------------------------------------------


@contextmanager
def second_process(city: City) -> Iterator[City]:
    """The same city with a pool, and so a memory of the registry, of its own."""
    opened = app.open_city(city.settings, clock=city.clock, pool=2)
    try:
        yield opened
    finally:
        opened.db.close()


def test_every_process_sees_an_import_at_once(city: City, tmp_path: Path) -> None:
    with second_process(city) as other:
        assert SHOPS not in open_datasets(other)
        take(city, tmp_path, "魚屋,焼津,3")
        assert open_datasets(other)[SHOPS].rows == 1
        take(other, tmp_path, "魚屋,焼津,3", "本屋,大井川,2")
        assert open_datasets(city)[SHOPS].rows == 2
        take(city, tmp_path, "花屋,小川,1", name="open.others")
        assert open_datasets(other).keys() == {SHOPS, "open.others"}


def test_registry_is_read_anew_only_after_a_change(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    assert open_datasets(city) is open_datasets(city)
    first = open_datasets(city)
    take(city, tmp_path, "花屋,小川,1")
    assert open_datasets(city) is not first


def test_service_needs_no_registry(city: City) -> None:
    without = replace(city, db=Database("never opened"))
    assert get_dataset(without, "energy.readings").name == "energy.readings"


def test_open_name_that_nobody_registered_is_unknown(city: City) -> None:
    with pytest.raises(DatasetIsUnknown) as caught:
        get_dataset(city, "open.nothing")
    assert "energy.homes" in caught.value.fields["known"]


def test_no_service_takes_the_name_open(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"name": "open.things", "personal": False, "columns": [{"name": "a", "type": "text", "role": "dimension"}]}
    monkeypatch.setattr(Service, "manifest", {"datasets": [entry]})
    with pytest.raises(ServiceIsBroken):
        _datasets_of(Service("open", "open"))


# Descriptors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "open.Shops"}, "$.name"),
        ({"name": "energy.shops"}, "$.name"),
        ({"name": "open.shops\n"}, "$.name"),
        ({"licence": "CC-BY"}, "CC-BY-4.0"),
        ({"licence": "http://example.jp/terms"}, "$.licence"),
        ({"source": None}, "source"),
        ({"source": {"publisher": "x", "url": "ftp://x", "retrieved_day": "2026-01-01"}}, "$.source.url"),
        ({"text": {"ja": "店"}}, "en"),
        ({"columns": []}, "$.columns"),
        ({"columns": [column("subject_no", "int32", "measure")], "keys": None}, "reserved"),
        ({"columns": [column("a", "int32", "subject")], "keys": None}, "$.columns[0].role"),
        ({"columns": [column("a", "decimal", "measure")], "keys": None}, "$.columns[0].type"),
        ({"columns": [column("a"), column("a")], "keys": None}, "stands twice"),
        ({"columns": [column("a", mesh={"latitude": "x", "longitude": "y", "size_m": 500})]}, "size_m"),
        ({"columns": [column("a", "int32", mesh={"latitude": "x", "longitude": "y", "size_m": 250})]}, "mesh"),
        ({"columns": [column("a", format="%Y")], "keys": None}, "format"),
        ({"columns": [column("a", "text", format="gtfs_time")], "keys": None}, "gtfs_time"),
        ({"columns": [column("a", "int32", domain=["1"])], "keys": None}, "domain"),
        ({"keys": [{"name": "area", "kind": "area", "column": "place"}]}, "area"),
        ({"keys": [{"name": "who", "kind": "subject", "column": "shop"}]}, "subject"),
        ({"keys": [{"name": "day", "kind": "time", "column": "shop", "unit": "day"}]}, "time"),
        ({"keys": [{"name": "area", "kind": "area", "column": "area", "unit": "day"}]}, "unit"),
        ({"unique": ["place"]}, "no key"),
        ({"time_column": "shop"}, "timestamp"),
        ({"local_column": "shop"}, "timestamp"),
        ({"file": {"format": "gtfs"}}, "table"),
        ({"file": {"table": "stops"}}, "gtfs"),
        ({"file": {"timezone": "Asia/Yaizu"}}, "Asia/Yaizu"),
        ({"file": {"header_row": 3, "first_row": 3}}, "first_row"),
        ({"personal": True}, "personal"),
    ],
)
def test_descriptor_that_cannot_stand_is_refused_with_the_place(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DescriptorIsInvalid) as caught:
        described(**changes)
    assert said in caught.value.fields["problem"]


def test_descriptor_comes_back_from_the_registry_as_it_was(city: City, tmp_path: Path) -> None:
    take(city, tmp_path, "魚屋,焼津,3")
    registered = open_datasets(city)[SHOPS]
    made = described()
    assert registered.document == {**document(), "keys": [{"name": "area", "kind": "area", "column": "area"}]}
    assert registered.dataset == made.dataset
    assert registered.dataset.text == made.dataset.text


@pytest.mark.parametrize("text", ["name = ", "name = 1", "[name]"])
def test_text_that_is_no_descriptor_is_refused(text: str) -> None:
    with pytest.raises(DescriptorIsInvalid):
        read_descriptor(text, "x.toml")


def test_descriptor_that_is_not_there_is_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(DescriptorIsInvalid):
        import_open(city, OPERATOR, tmp_path / "none.toml", shops(tmp_path, "a,b,1"))
    with pytest.raises(OpenFileIsUnreadable):
        import_open(city, OPERATOR, GUIDES / "gtfs-stops.toml", tmp_path / "none.zip")


def test_system_duty_that_is_no_officers_cannot_register(city: City, tmp_path: Path) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        take(city, tmp_path, "魚屋,焼津,3", actor=System("sign_in"))
    assert SHOPS not in open_datasets(city)
