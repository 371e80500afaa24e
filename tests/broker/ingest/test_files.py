"""Files of measurements: every bad line named, nothing half, gone on with after a crash, and never stored twice."""

import gzip
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker.entities import allow_writing
from sanpo.broker.ingest import files
from sanpo.broker.ingest.errors import FileHasBadLines, MappingNotFound
from sanpo.broker.ingest.files import Given, Import
from sanpo.broker.ingest.mapping import read_mapping
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.errors import InputIsInvalid
from sanpo.people import SecretProof, create_client, issue_token
from tests.broker.ingest.conftest import METERS
from tests.world import World

OPERATOR = System("operator")
GOOD = "meter_id,start,kwh\n1,2026-03-01T00:00:00+0900,0.25\n2,2026-03-01T00:00:00+0900,1\n1,2026-03-01T00:15:00+0900,0.5\n"
ENERGY_1 = [(250, "2026-02-28T15:00:00Z"), (500, "2026-02-28T15:15:00Z")]
History = Callable[[str, str], list[tuple[float, str]]]


def importing(city: City, folder: Path, text: str | bytes, mapping: str = METERS, **more: Any) -> Import:
    (folder / "mapping.toml").write_text(mapping)
    found, sha256 = read_mapping(folder / "mapping.toml")
    body = text if isinstance(text, bytes) else text.encode()
    return Import(city, OPERATOR, Given.of_body("readings.csv", body), found, sha256, **more)


def test_lines_become_entities_and_observations(
    open_city: City, folder: Path, broker: TestClient[Any], history: History
) -> None:
    done = importing(open_city, folder, GOOD).run()
    assert (done.records, done.observations, done.entities, done.bad) == (3, 3, 2, [])
    assert history("urn:ngsi-ld:Meter:1", "energy") == ENERGY_1
    now = broker.get("/entities/urn:ngsi-ld:Meter:1").json()
    assert now["type"] == "Meter"
    assert (now["energy"]["value"], now["energy"]["unitCode"]) == (500, "WHR")


def test_packed_file_in_another_encoding_is_read(open_city: City, folder: Path, broker: TestClient[Any]) -> None:
    mapping = METERS.replace(
        'format = "csv"',
        'format = "csv"\nencoding = "cp932"\ndelimiter = ";"\ncolumns = ["meter_id", "name", "x", "y"]',
    )
    mapping = mapping.partition("[time]")[0] + """
[[attributes]]
name = "name"
value = "name"
kind = "text"
[[attributes]]
name = "location"
longitude = "x"
latitude = "y"
"""  # fmt: skip
    done = importing(open_city, folder, gzip.compress("7;駅前;138.5;35.1\n".encode("cp932")), mapping).run()
    assert (done.records, done.observations) == (1, 0)
    found = broker.get("/entities/urn:ngsi-ld:Meter:7").json()
    assert found["name"]["value"] == "駅前"
    assert found["location"]["value"] == {"type": "Point", "coordinates": [138.5, 35.1]}


BAD = [
    # a line, the reason
    ("1,2026-03-01T00:00:00+0900", "it has 2 cells where 3 are expected"),
    ("1,2026-03-01T00:00:00+0900,1,2", "it has 4 cells where 3 are expected"),
    ("1,yesterday,1", "the time cannot be read"),
    ("1,,1", "the time cannot be read"),
    ("1,2026-02-30T00:00:00Z,1", "the time cannot be read"),
    ("1,2026-03-01T00:00:00Z,much", "energy is no number"),
    ("1,2026-03-01T00:00:00Z,nan", "energy is no number"),
    ("1,2026-03-01T00:00:00Z,1e999", "energy is no number"),
    ("1,2026-03-01T00:00:00Z,", "energy is missing"),
    (",2026-03-01T00:00:00Z,1", "meter_id is missing"),
    ("a b,2026-03-01T00:00:00Z,1", "the entity's id is no URI"),
    ('1,"x"y,1', "it is no CSV"),
    (b"\xff,2026-03-01T00:00:00Z,1", "it is not utf-8"),
]


def test_every_bad_line_is_named_and_nothing_is_stored(open_city: City, folder: Path, broker: TestClient[Any]) -> None:
    lines = [each if isinstance(each, bytes) else each.encode() for each, _ in BAD]
    body = b"meter_id,start,kwh\n1,2026-03-01T00:00:00Z,1\n" + b"\n".join(lines) + b"\n2,2026-03-01T00:00:00Z,2\n"
    expected = [{"line": at, "reason": reason} for at, (_, reason) in enumerate(BAD, 3)]
    with pytest.raises(FileHasBadLines) as caught:
        importing(open_city, folder, body).run()
    assert caught.value.fields["bad"] == expected
    assert (caught.value.fields["count"], caught.value.fields["done"]) == (len(BAD), 0)
    assert broker.get("/entities", params={"type": "Meter"}).json() == []
    assert importing(open_city, folder, body).run(dry=True).as_json()["bad"] == expected
    done = importing(open_city, folder, body, skip_bad=True).run()
    assert (done.records, done.observations, done.skipped) == (len(BAD) + 2, 2, len(BAD))
    assert done.as_json()["bad"] == expected


def test_dry_run_stores_nothing(open_city: City, folder: Path, broker: TestClient[Any]) -> None:
    done = importing(open_city, folder, GOOD).run(dry=True)
    assert (done.records, done.bad, done.is_dry) == (3, [], True)
    assert broker.get("/entities", params={"type": "Meter"}).json() == []


def test_unknown_entity_is_refused_where_none_is_to_be_made(
    open_city: City, folder: Path, broker: TestClient[Any], history: History
) -> None:
    mapping = METERS.replace('type = "Meter"', 'type = "Meter"\ncreate = false')
    broker.post("/entities", json={"id": "urn:ngsi-ld:Meter:1", "type": "Meter"})
    with pytest.raises(FileHasBadLines) as caught:
        importing(open_city, folder, GOOD, mapping).run()
    assert caught.value.fields["bad"] == [{"line": 3, "reason": "there is no such entity"}]
    assert history("urn:ngsi-ld:Meter:1", "energy") == []
    done = importing(open_city, folder, GOOD, mapping, skip_bad=True).run()
    assert (done.observations, done.skipped) == (2, 1)
    assert history("urn:ngsi-ld:Meter:1", "energy") == ENERGY_1


def test_import_that_was_cut_off_goes_on_and_stores_nothing_twice(
    open_city: City, folder: Path, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "BATCH", 2)
    rows = [f"1,2026-03-01T00:{minute:02}:00Z,{minute}" for minute in range(9)]
    text = "meter_id,start,kwh\n" + "\n".join(rows)
    for die_at in (
        1,
        3,
        2,
    ):  # in the transaction of a batch, so that it takes no effect; the last in the first batch again
        calls = itertools.count(1)

        def die(*given: Any, real: Any = Import._store_batch, calls: Any = calls, die_at: int = die_at) -> Any:
            if next(calls) == die_at:
                work, done, import_no, batch = given
                real_note = files.write
                with monkeypatch.context() as patch:
                    patch.setattr(files, "write", lambda *a, note, **k: real_note(*a, note=lambda *n: 1 / 0, **k))
                    return real(work, done, import_no, batch)
            return real(*given)

        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(Import, "_store_batch", die)
            importing(open_city, folder, text).run()
    done = importing(open_city, folder, text).run()
    assert (done.before, done.records) == (6, 9)
    assert [value for value, _ in history("urn:ngsi-ld:Meter:1", "energy")] == [1000 * each for each in range(9)]
    again = importing(open_city, folder, text).run()
    assert (again.before, again.records, again.observations) == (9, 9, 0)
    assert len(history("urn:ngsi-ld:Meter:1", "energy")) == 9


def test_second_import_of_a_file_at_the_same_time_is_refused(open_city: City, folder: Path, history: History) -> None:
    first, second = (importing(open_city, folder, GOOD) for _ in range(2))
    lines = first._lines
    with pytest.MonkeyPatch.context() as patch:

        def with_another(*given: Any, real: Any = first._store_batch) -> Any:
            patch.undo()
            second.run()
            return real(*given)

        patch.setattr(first, "_store_batch", with_another)
        with pytest.raises(InputIsInvalid):
            first.run()
    assert lines is not None
    assert history("urn:ngsi-ld:Meter:1", "energy") == ENERGY_1


def test_json_lines_are_records_too(open_city: City, folder: Path, history: History) -> None:
    mapping = METERS.replace('"csv"', '"json"').replace('"kwh"', '"$.data[0].kwh"')
    text = '{"meter_id": 1, "start": "2026-03-01T00:00:00+09:00", "data": [{"kwh": 0.25}]}\n\n[]\n{"meter_id": 2'
    done = importing(open_city, folder, text, mapping, skip_bad=True).run()
    assert done.bad == [(3, "meter_id is missing"), (4, "it is no JSON")]
    assert history("urn:ngsi-ld:Meter:1", "energy") == ENERGY_1[:1]


def test_text_that_no_database_holds_is_a_bad_line(open_city: City, folder: Path) -> None:
    mapping = METERS.replace('"csv"', '"json"').replace('value = "kwh"', 'value = "note"\nkind = "text"')
    mapping += """
[[attributes]]
name = "more"
value = "more"
kind = "json"
optional = true
"""
    good = {"meter_id": 1, "start": "2026-03-01T00:00:00Z", "note": "a"}
    lines = [good, {**good, "note": "a\0b"}, {**good, "more": [{"a": "\0"}]}]
    done = importing(open_city, folder, "\n".join(map(json.dumps, lines)), mapping, skip_bad=True).run()
    assert done.bad == [(2, "energy holds the character U+0000"), (3, "more holds the character U+0000")]


def test_command_names_bad_lines_and_tells_what_was_done(open_city: City, folder: Path, command: Any) -> None:
    (folder / "meters.toml").write_text(METERS)
    (folder / "bad.csv").write_text("meter_id,start,kwh\n1,never,1\n")
    (folder / "good.csv").write_text(GOOD)
    mapping = ("--mapping", str(folder / "meters.toml"))
    bad = command(open_city, "import", str(folder / "bad.csv"), *mapping, "--json")
    assert json.loads(bad.stdout)["bad"] == [{"line": 2, "reason": "the time cannot be read"}]
    assert isinstance(bad.exception, FileHasBadLines)
    told = command(open_city, "import", str(folder / "bad.csv"), *mapping, "--dry-run")
    assert "line 2: the time cannot be read" in told.output
    assert told.exit_code != 0
    good = command(open_city, "import", str(folder / "good.csv"), *mapping, "--json")
    assert (good.exit_code, json.loads(good.stdout)["observations"]) == (0, 3)


def test_lines_come_over_http_too_and_the_same_body_is_stored_once(
    open_city: City, folder: Path, web: Any, client: Any, broker: TestClient[Any], history: History
) -> None:
    (folder / "meters.toml").write_text(METERS)
    world = World(open_city)
    http = client()
    web.state.city = open_city
    organisation = world.university.organisation_id
    made = create_client(open_city, world.officer, organisation, name="meter reader")
    token = issue_token(open_city, SecretProof(made.client_id, made.secret)).token
    http.headers.update({"authorization": f"Bearer {token}", "content-type": "text/csv"})
    path = "/api/broker/ingest/meters"
    assert http.post(path, content=GOOD).status_code == 403
    allow_writing(open_city, OPERATOR, organisation)
    assert http.post("/api/broker/ingest/none", content=GOOD).json()["code"] == MappingNotFound.code
    bad = http.post(path, content=GOOD + "1,never,1\n")
    assert (bad.status_code, bad.json()["code"]) == (400, "broker.file_has_bad_lines")
    assert "line 5" in bad.text or '"line":5' in bad.text
    for before in (0, 3):
        done = http.post(path, content=GOOD)
        assert done.status_code == 200, done.text
        assert (done.json()["before"], done.json()["records"]) == (before, 3)
    assert history("urn:ngsi-ld:Meter:1", "energy") == ENERGY_1
    some = http.post(path, content=GOOD + "1,never,1\n", params={"skip_bad": "true"}).json()
    assert some["bad"] == [{"line": 5, "reason": "the time cannot be read"}]
