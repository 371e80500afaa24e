"""A city can leave: what is exported describes itself, is all there, and can be taken in elsewhere."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest

from sanpo import app
from sanpo.ground.actors import Actor, Anonymous, Client, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from sanpo.journal import JournalUnavailable, list_entries
from sanpo.lake import DatasetIsUnknown, append, get_dataset, import_open, read_subject
from sanpo.lake import export as lake_export
from sanpo.lake import replace as replace_dataset
from sanpo.lake.errors import DatasetHoldsRows, ExportFolderIsNotEmpty, ExportIsPersonal, PackageIsInvalid
from sanpo.lake.export import export
from sanpo.lake.imports import ImportOutcome
from sanpo.lake.registry import open_datasets
from sanpo.lake.restore import import_package
from tests.conftest import fresh_database
from tests.lake.open_data import SHOPS, column, described, held, shops
from tests.lake.profile import DATA_PACKAGE
from tests.lake.rows import READINGS, readings
from tests.lake.test_rewrites import HOMES, homes
from tests.world import OPERATOR

OFFICER = Staff("stf_1", "org_1", 1, "officer")


PURCHASES = "cash.purchases"


@pytest.fixture
def furnished(city: City, tmp_path: Path) -> City:
    """Open data, readings over two months and homes."""
    import_open(city, OPERATOR, described(), shops(tmp_path, "魚屋,焼津,3", "本屋,大井川,2"))
    append(city, READINGS, readings(range(3), 12))
    append(city, READINGS, readings([5], 4))
    replace_dataset(city, HOMES, homes(0, 1, 2))
    return city


@pytest.fixture
def elsewhere(city: City, embedded: Any, template: str, tmp_path: Path) -> Iterator[City]:
    """Another city: a database, a lake and keys of its own."""
    with fresh_database(embedded, template) as database:
        settings = replace(city.settings, home=tmp_path / "elsewhere", database_url=embedded.url("sanpo_app", database))
        other = app.open_city(settings, clock=city.clock, pool=2)
        yield other
        other.db.close()


def package(folder: Path) -> Any:
    return json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))


def resources(folder: Path) -> dict[str, Any]:
    return {each["name"]: each for each in package(folder)["resources"]}


# What leaves -----------------------------------------------------------------------------------------------------------


def test_export_without_names_takes_everything_but_personal_data(furnished: City, tmp_path: Path) -> None:
    done = export(furnished, OFFICER, tmp_path / "out")
    assert [(each.dataset.name, each.rows) for each in done.datasets] == [(SHOPS, 2)]
    assert sorted(file.name for file in (tmp_path / "out").rglob("*") if file.is_file()) == [
        "datapackage.json", "dcat.jsonld", f"{SHOPS}.parquet"
    ]  # fmt: skip
    assert not [entry for entry in list_entries(furnished) if entry.kind == "export"]


def test_operator_exports_all_of_a_citys_data(furnished: City, tmp_path: Path) -> None:
    done = export(furnished, OPERATOR, tmp_path / "out", personal=True)
    assert {each.dataset.name: each.rows for each in done.datasets} == {SHOPS: 2, READINGS: 40, HOMES: 3, PURCHASES: 0}
    table = pq.read_table(tmp_path / "out/data" / f"{READINGS}.parquet")
    assert table.schema.equals(get_dataset(furnished, READINGS).schema)
    assert sorted(table["energy_wh"].to_pylist()) == sorted(
        readings(range(3), 12)["energy_wh"].to_pylist() + readings([5], 4)["energy_wh"].to_pylist()
    )


def test_export_of_personal_data_stands_in_the_journal(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", [HOMES], personal=True)
    (entry,) = [entry for entry in list_entries(furnished) if entry.kind == "export"]
    (told,) = entry.body["datasets"]
    assert (told["name"], told["rows"]) == (HOMES, 3)
    assert told["sha256"] == resources(tmp_path / "out")[HOMES]["hash"].removeprefix("sha256:")


def test_no_personal_data_leaves_when_the_journal_cannot_append(
    furnished: City, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **more: object) -> None:
        raise JournalUnavailable(problem="down")

    monkeypatch.setattr(lake_export, "append_to_journal", fail)
    with pytest.raises(JournalUnavailable):
        export(furnished, OPERATOR, tmp_path / "out", personal=True)
    assert not [file for file in tmp_path.iterdir() if "out" in file.name]


@pytest.mark.parametrize("actor", [OPERATOR, OFFICER])
def test_personal_data_does_not_leave_unless_it_is_said(furnished: City, tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(ExportIsPersonal) as caught:
        export(furnished, actor, tmp_path / "out", [SHOPS, HOMES])
    assert caught.value.fields["datasets"] == HOMES
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("actor", [OFFICER, System("jobs")])
def test_personal_data_leaves_for_the_operator_only(furnished: City, tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        export(furnished, actor, tmp_path / "out", [HOMES], personal=True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "actor", [Resident("res_1", 1, "res_1"), Staff("stf_2", "org_2", 2, "analyst"), Client("cli_1", "org_1", 1)]
)
def test_nobody_else_exports(furnished: City, tmp_path: Path, actor: Actor) -> None:
    with pytest.raises(NotPermitted):
        export(furnished, actor, tmp_path / "out")
    with pytest.raises(NotSignedIn):
        export(furnished, Anonymous(), tmp_path / "out")


def test_export_into_a_folder_with_something_in_it_is_refused(furnished: City, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    export(furnished, OPERATOR, tmp_path / "out")
    before = package(tmp_path / "out")
    with pytest.raises(ExportFolderIsNotEmpty):
        export(furnished, OPERATOR, tmp_path / "out")
    assert package(tmp_path / "out") == before


def test_export_of_an_unknown_dataset_leaves_no_folder(furnished: City, tmp_path: Path) -> None:
    with pytest.raises(DatasetIsUnknown):
        export(furnished, OPERATOR, tmp_path / "out", ["open.nothing"])
    assert not (tmp_path / "out").exists()


def test_nobody_else_on_the_machine_can_read_an_export(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    assert (tmp_path / "out").stat().st_mode & 0o077 == 0


# What it says of itself ------------------------------------------------------------------------------------------------


def test_package_follows_the_published_profile(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    found = package(tmp_path / "out")
    jsonschema.Draft7Validator(DATA_PACKAGE, format_checker=jsonschema.FormatChecker()).validate(found)
    assert len(found["resources"]) == 4


def test_profile_catches_a_package_that_breaks_it(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out")
    for path, value in (("path", "../x"), ("hash", "sha256:xyz"), ("licenses", [{}]), ("schema", {"fields": []})):
        broken = package(tmp_path / "out")
        broken["resources"][0][path] = value
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, DATA_PACKAGE)


def test_package_tells_licence_source_schema_rows_size_and_hash(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out")
    found = resources(tmp_path / "out")[SHOPS]
    data = (tmp_path / "out" / found["path"]).read_bytes()
    assert found["hash"] == f"sha256:{hashlib.sha256(data).hexdigest()}"
    assert found["bytes"] == len(data)
    assert found["licenses"] == [
        {"name": "CC-BY-4.0", "path": "https://creativecommons.org/licenses/by/4.0/", "title": "CC BY 4.0"}
    ]
    assert found["sources"] == [{"title": "三方市", "path": "https://example.jp/shops"}]
    assert found["schema"]["fields"][2] == {
        "name": "staff", "type": "integer", "title": "列staff", "description": "Column staff", "unit": "persons"
    }  # fmt: skip
    assert (found["sanpo"]["rows"], found["sanpo"]["retrieved_day"]) == (2, "2026-03-31")


def test_unique_keys_and_domains_are_told(furnished: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", [HOMES], personal=True)
    schema = resources(tmp_path / "out")[HOMES]["schema"]
    assert schema["uniqueKeys"] == [["subject_no"]]
    assert "apartment" in next(f for f in schema["fields"] if f["name"] == "dwelling_type")["constraints"]["enum"]


def test_licence_without_an_identifier_is_told_by_its_address(city: City, tmp_path: Path) -> None:
    address = "https://www.digital.go.jp/resources/open_data/public_data_license_v1.0"
    import_open(city, OPERATOR, described(licence=address), shops(tmp_path, "魚屋,焼津,3"))
    export(city, OPERATOR, tmp_path / "out")
    assert resources(tmp_path / "out")[SHOPS]["licenses"] == [{"path": address, "title": "Public Data License 1.0"}]
    jsonschema.validate(package(tmp_path / "out"), DATA_PACKAGE)


def test_catalogue_has_what_dcat_ap_demands(furnished: City, tmp_path: Path) -> None:
    """Mandatory in DCAT-AP 3.0: title and description of catalogue and dataset, publisher, access address."""
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    found = json.loads((tmp_path / "out/dcat.jsonld").read_text(encoding="utf-8"))
    assert found["@type"] == "dcat:Catalog"
    assert {"dct:title", "dct:description", "dct:publisher", "dcat:dataset"} <= found.keys()
    prefixes = {key.split(":")[0] for each in walk(found) for key in each if ":" in key}
    assert prefixes <= found["@context"].keys()
    access = {}
    for each in found["dcat:dataset"]:
        assert {"dct:title", "dct:description"} <= each.keys()
        distribution = each["dcat:distribution"]
        assert (tmp_path / "out" / distribution["dcat:accessURL"]["@id"]).is_file()
        access[each["dct:identifier"]] = each["dct:accessRights"]["@id"].rsplit("/", 1)[-1]
    assert access == {SHOPS: "PUBLIC", **dict.fromkeys((HOMES, READINGS, PURCHASES), "NON_PUBLIC")}
    shop = next(each for each in found["dcat:dataset"] if each["dct:identifier"] == SHOPS)
    assert shop["dcat:distribution"]["dct:license"] == {"@id": "https://creativecommons.org/licenses/by/4.0/"}
    assert shop["dct:title"][0] == {"@value": "店", "@language": "ja"}


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every object in a JSON document but its context."""
    if isinstance(value, dict):
        yield {key: each for key, each in value.items() if key != "@context"}
        for key, each in value.items():
            if key != "@context":
                yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


# What comes in elsewhere -----------------------------------------------------------------------------------------------


def test_another_city_takes_in_open_data_with_all_that_belongs_to_it(
    furnished: City, elsewhere: City, tmp_path: Path
) -> None:
    export(furnished, OFFICER, tmp_path / "out")
    (done,) = import_package(elsewhere, OFFICER, tmp_path / "out")
    assert (done.dataset, done.rows, done.outcome) == (SHOPS, 2, ImportOutcome.ADDED)
    assert held(elsewhere) == held(furnished)
    assert open_datasets(elsewhere)[SHOPS].document == open_datasets(furnished)[SHOPS].document
    assert get_dataset(elsewhere, SHOPS) == get_dataset(furnished, SHOPS)
    (again,) = import_package(elsewhere, OFFICER, tmp_path / "out")
    assert again.outcome == ImportOutcome.UNCHANGED
    export(elsewhere, OFFICER, tmp_path / "back")
    assert (
        pq.read_table(tmp_path / "back/data" / f"{SHOPS}.parquet").to_pylist()
        == pq.read_table(tmp_path / "out/data" / f"{SHOPS}.parquet").to_pylist()
    )


def test_all_of_a_citys_data_is_there_again_in_an_empty_one(furnished: City, elsewhere: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    done = import_package(elsewhere, OPERATOR, tmp_path / "out", personal=True)
    assert {each.dataset: each.rows for each in done} == {SHOPS: 2, READINGS: 40, HOMES: 3, PURCHASES: 0}
    resident = Resident("res_1", 1, "res_1")
    for name in (READINGS, HOMES):
        assert read_subject(elsewhere, resident, name) == read_subject(furnished, resident, name)
    again = import_package(elsewhere, OPERATOR, tmp_path / "out", personal=True)
    assert {each.outcome for each in again} == {ImportOutcome.UNCHANGED}
    assert read_subject(elsewhere, resident, READINGS).num_rows == 12


def test_personal_data_comes_in_only_when_it_is_said_and_by_the_operator(
    furnished: City, elsewhere: City, tmp_path: Path
) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    assert [each.dataset for each in import_package(elsewhere, OPERATOR, tmp_path / "out")] == [SHOPS]
    with pytest.raises(ExportIsPersonal):
        import_package(elsewhere, OPERATOR, tmp_path / "out", [HOMES])
    with pytest.raises(NotPermitted):
        import_package(elsewhere, OFFICER, tmp_path / "out", personal=True)
    with pytest.raises(NotPermitted):
        import_package(elsewhere, Resident("res_1", 1, "res_1"), tmp_path / "out")


def test_dataset_with_other_rows_takes_in_none(furnished: City, elsewhere: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    append(elsewhere, READINGS, readings([7], 2))
    with pytest.raises(DatasetHoldsRows) as caught:
        import_package(elsewhere, OPERATOR, tmp_path / "out", personal=True)
    assert caught.value.fields["dataset"] == READINGS
    assert SHOPS not in open_datasets(elsewhere), "everything is checked before anything is written"


def test_package_that_was_changed_is_refused_whole(furnished: City, elsewhere: City, tmp_path: Path) -> None:
    export(furnished, OPERATOR, tmp_path / "out", personal=True)
    file = tmp_path / "out/data" / f"{HOMES}.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"x")
    with pytest.raises(PackageIsInvalid) as caught:
        import_package(elsewhere, OPERATOR, tmp_path / "out", personal=True)
    assert "SHA-256" in caught.value.fields["problem"]
    assert SHOPS not in open_datasets(elsewhere)


def _without(key: str) -> Any:
    return lambda found: found["resources"][0].pop(key)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda found: found.pop("resources"),
        _without("sanpo"),
        _without("hash"),
        lambda found: found["resources"][0].update(path="../secret.parquet"),
        lambda found: found["resources"][0].update(path="data/none.parquet"),
        lambda found: found["resources"][0]["sanpo"].pop("descriptor"),
        lambda found: found["resources"][0]["sanpo"]["descriptor"].update(licence="none"),
        lambda found: found["resources"][0]["sanpo"]["descriptor"].update(name="open.others"),
        lambda found: found["resources"][0]["sanpo"]["descriptor"].update(columns=[column("area")]),
    ],
)
def test_folder_that_is_no_package_of_ours_is_refused(furnished: City, tmp_path: Path, spoil: Any) -> None:
    export(furnished, OPERATOR, tmp_path / "out")
    (tmp_path / "secret.parquet").write_bytes((tmp_path / "out/data" / f"{SHOPS}.parquet").read_bytes())
    found = package(tmp_path / "out")
    spoil(found)
    (tmp_path / "out/datapackage.json").write_text(json.dumps(found))
    before = open_datasets(furnished)[SHOPS]
    with pytest.raises(PackageIsInvalid):
        import_package(furnished, OPERATOR, tmp_path / "out")
    assert open_datasets(furnished)[SHOPS] == before


def test_folder_without_a_package_is_refused(city: City, tmp_path: Path) -> None:
    with pytest.raises(PackageIsInvalid):
        import_package(city, OPERATOR, tmp_path)
