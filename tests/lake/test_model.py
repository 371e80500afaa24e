"""Datasets as manifests describe them, and the layout of their rows in files."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.ground.city import City
from sanpo.ground.plugins import Service, ServiceIsBroken
from sanpo.lake import Key, LakeIsUnavailable, append, get_dataset, list_datasets
from sanpo.lake.catalogue import _datasets_of
from sanpo.lake.layout import DataFile, Part
from sanpo.lake.model import dataset_from_manifest
from tests.lake.rows import READINGS, readings

MOMENTS = st.integers(0, 24 * 700).map(lambda hours: datetime(2025, 1, 1, tzinfo=UTC) + timedelta(hours=hours))


def entry(**changes: Any) -> dict[str, Any]:
    """A valid `[[datasets]]` table."""
    columns = [
        {"name": "subject_no", "type": "int32", "role": "subject"},
        {"name": "at", "type": "timestamp", "role": "time"},
        {"name": "kind", "type": "text", "role": "dimension", "domain": ["a", "b"]},
    ]
    return {"name": "demo.things", "personal": True, "columns": columns, "time_column": "at", **changes}


def test_manifest_becomes_a_dataset_with_an_arrow_schema() -> None:
    dataset = dataset_from_manifest(entry())
    assert dataset.schema == pa.schema(
        [("subject_no", pa.int32()), ("at", pa.timestamp("us", "UTC")), ("kind", pa.string())]
    )
    kind = dataset.column("kind")
    assert kind is not None
    assert kind.domain == ("a", "b")
    assert dataset.column("other") is None


def test_local_column_has_no_zone(city: City) -> None:
    schema = get_dataset(city, READINGS).schema
    assert schema.field("start_at").type == pa.timestamp("us", "UTC")
    assert schema.field("start_local").type == pa.timestamp("us")


@pytest.mark.parametrize(
    "changes",
    [
        {"columns": [{"name": "at", "type": "timestamp", "role": "time"}]},
        {"personal": False},
        {"time_column": "when"},
        {"columns": [*entry()["columns"], {"name": "at", "type": "date", "role": "time"}]},
        {"columns": [*entry()["columns"], {"name": "x", "type": "decimal", "role": "measure"}]},
        {"columns": [*entry()["columns"], {"name": "x", "type": "int32", "role": "guess"}]},
    ],
    ids=["no subject", "subject of no one", "unknown time", "twice", "unknown type", "unknown role"],
)
def test_dataset_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"demo\.things"):
        dataset_from_manifest(entry(**changes))


def test_manifest_declares_keys_licence_and_source() -> None:
    keys = [
        {"name": "subject", "kind": "subject", "column": "subject_no"},
        {"name": "hour", "kind": "time", "column": "at", "unit": "hour"},
    ]
    source = {"publisher": "City", "url": "https://example.jp", "retrieved_day": date(2026, 3, 31)}
    dataset = dataset_from_manifest(entry(keys=keys, unique=["subject", "hour"], licence="CC0-1.0", source=source))
    assert dataset.key("hour") == Key("hour", "time", "at", "hour")
    assert dataset.key("day") is None
    assert dataset.unique == ("subject", "hour")
    assert dataset.attribution == "City, https://example.jp, 2026-03-31, CC0 1.0"
    plain = dataset_from_manifest(entry())
    assert (plain.keys, plain.unique, plain.licence, plain.source, plain.attribution) == ((), (), None, None, None)


def test_energy_declares_by_what_it_can_be_joined(city: City) -> None:
    assert [key.name for key in get_dataset(city, READINGS).keys] == ["subject", "hour", "day"]
    homes = get_dataset(city, "energy.homes")
    assert ([key.name for key in homes.keys], homes.unique) == (["subject", "area"], ("subject",))


@pytest.mark.parametrize(
    "key",
    [
        {"name": "x", "kind": "person", "column": "kind"},
        {"name": "x", "kind": "area", "column": "place"},
        {"name": "x", "kind": "time", "column": "at"},
        {"name": "x", "kind": "time", "column": "at", "unit": "minute"},
        {"name": "x", "kind": "area", "column": "kind", "unit": "day"},
        {"name": "x", "kind": "time", "column": "kind", "unit": "day"},
        {"name": "x", "kind": "area", "column": "subject_no"},
        {"name": "x", "kind": "subject", "column": "kind"},
    ],
)
def test_key_that_could_match_nothing_is_refused(key: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="key"):
        dataset_from_manifest(entry(keys=[key]))


def test_unique_names_keys_and_keys_have_one_name_each() -> None:
    key = {"name": "kind", "kind": "area", "column": "kind"}
    assert dataset_from_manifest(entry(keys=[key], unique=["kind"])).unique == ("kind",)
    for changes in ({"keys": [key], "unique": ["at"]}, {"keys": [key, key]}):
        with pytest.raises(ValueError, match="key"):
            dataset_from_manifest(entry(**changes))


def test_catalogue_lists_the_datasets_of_services(city: City) -> None:
    assert [dataset.name for dataset in list_datasets(city)] == ["cash.purchases", "energy.homes", "energy.readings"]
    assert get_dataset(city, READINGS).attributes == "energy.homes"


def test_service_with_a_wrong_dataset_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Service, "manifest", {"datasets": [entry(name="other.things")]})
    with pytest.raises(ServiceIsBroken) as caught:
        _datasets_of(Service("demo", "demo"))
    assert caught.value.fields["service"] == "demo"


@given(st.integers(0, 12 * 9999), st.integers(0, (1 << 17) - 1))
def test_part_number_is_reversible(month: int, subject_range: int) -> None:
    assert Part.from_number((month << 20) + subject_range) == Part(month, subject_range)


@given(
    st.integers(0, 100),
    st.integers(0, 100),
    st.integers(0, 100),
    MOMENTS,
    MOMENTS,
    MOMENTS,
)
def test_file_with_a_wanted_row_is_never_left_out(
    first: int, last: int, subject: int, at: datetime, since: datetime, until: datetime
) -> None:
    file = DataFile("x", 1, 1, (), at.strftime("%Y-%m"), first, last)
    if first <= subject <= last and since <= at < until:
        assert file.may_hold(subject_no=subject, since=since, until=until)


def test_lake_that_cannot_be_used_says_so(city: City) -> None:
    Path(city.lake_url).parent.mkdir(exist_ok=True)
    Path(city.lake_url).write_text("a file where the folder should be")
    with pytest.raises(LakeIsUnavailable) as caught:
        append(city, READINGS, readings([1], 1))
    assert caught.value.fields["dataset"] == READINGS


def test_lake_address_may_be_a_url(city: City) -> None:
    from dataclasses import replace

    from sanpo.lake import read_subject, snapshot
    from tests.lake.test_own_rows import resident

    Path(city.lake_url).mkdir(parents=True)
    other = replace(city, settings=replace(city.settings, lake_url=Path(city.lake_url).as_uri()))
    append(other, READINGS, readings(range(2), 2))
    assert read_subject(other, resident(1), READINGS).num_rows == 2
    assert all(Path(file).is_file() for file in snapshot(other, READINGS).files)
