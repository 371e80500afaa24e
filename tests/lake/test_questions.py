"""What a question meets in the lake: files of an older manifest, broken files, erased people."""

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from litestar.testing import TestClient

from sanpo.cleanroom import Answer, ask
from sanpo.cleanroom.errors import TooFewSubjects
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.errors import Kind
from sanpo.ground.plugins import Plugins, Service
from sanpo.lake import SnapshotIsGone, append, snapshot
from sanpo.lake.actions import list_holdings
from sanpo.lake.errors import FileIsBroken
from sanpo.lake.upkeep import erase_subject
from sanpo.people import SecretProof, create_client, issue_token
from sanpo.services.energy.service import service as energy
from tests.cleanroom.cities import BEGIN, TOTAL, Metered, Walk
from tests.lake.rows import READINGS
from tests.lake.test_health import HARMS, NAMES

OPERATOR = System("operator")


@pytest.fixture
def walk(city: City) -> Walk:
    """Forty people with meters, of whom twenty have agreed."""
    return asker_of(Metered(city))


def asker_of(metered: Metered) -> Walk:
    made = metered.walk()
    made.give(*range(20))
    return made


def a_file(walk: Walk, dataset: str) -> Path:
    return Path(snapshot(walk.city, dataset).files[0])


def unnoticed(how: Any) -> bool:
    """One flipped bit in a page: only who asks the checksum sees it, and DuckDB does not."""
    return how is HARMS[1]


@pytest.mark.parametrize("how", [how for how in HARMS if not unnoticed(how)], ids=[n for n in NAMES if n != "one bit"])
def test_question_on_a_broken_file_is_unavailable_and_nothing_is_recorded(walk: Walk, how: Any) -> None:
    file = a_file(walk, READINGS)
    whole = file.read_bytes()
    file.unlink() if how is None else file.write_bytes(how(whole))
    with pytest.raises(FileIsBroken) as caught:
        walk.ask(TOTAL)
    assert caught.value.kind is Kind.UNAVAILABLE
    assert (caught.value.fields["dataset"], caught.value.fields["file"]) == (READINGS, "/".join(file.parts[-3:]))
    assert str(walk.city.settings.home) not in str(caught.value.fields)
    assert walk.entries("use") == walk.entries("refusal") == []
    assert walk.seen_by(0) == []
    assert [holding.rows for holding in list_holdings(walk.city)] == [0, 40, 320]
    file.write_bytes(whole)
    assert walk.ask(TOTAL).subjects == 20


def test_program_hears_of_a_broken_file_without_the_place_of_the_lake(
    walk: Walk, client: Callable[[], TestClient[Any]]
) -> None:
    file = a_file(walk, READINGS)
    file.write_bytes(file.read_bytes()[:200])
    made = create_client(walk.city, OPERATOR, walk.organisation.organisation_id, name="Lab")
    proof = SecretProof(made.client_id, made.secret or "")
    token = issue_token(walk.city, proof, scope=f"agreement:{walk.agreement.agreement_id}").token
    headers = {"Authorization": f"Bearer {token}"}
    answer = client().post("/api/cleanroom/questions", json={"sql": TOTAL}, headers=headers)
    assert answer.status_code == 503
    assert answer.json()["code"] == "lake.file_is_broken"
    assert answer.json()["fields"]["dataset"] == READINGS
    assert file.name in answer.json()["detail"]
    assert str(walk.city.settings.home) not in answer.text


def grown(city: City) -> City:
    """The same city with the next version of the energy service: a quality for each reading, and room for large ones."""
    manifest = copy.deepcopy(energy.manifest)
    readings = next(each for each in manifest["datasets"] if each["name"] == READINGS)
    for column in readings["columns"]:
        if column["name"] == "energy_wh":
            column["type"] = "int64"
    text = {"ja": "質", "en": "Quality"}
    readings["columns"].insert(1, {"name": "quality", "type": "float64", "role": "measure", "text": text})
    service = Service("energy", "sanpo.services.energy_grown")
    service.__dict__["manifest"] = manifest
    return replace(city, plugins=Plugins((service,)))


def total_of(metered: Metered, city: City, condition: str = "") -> Answer:
    """What an organisation that has asked nothing yet is told, under an agreement that knows the new column."""
    walk = metered.walk()
    rule = {"dimensions": ["area"], "measures": ["energy_wh", "quality"], "functions": ["count", "sum", "avg"]}
    datasets = [
        {"name": READINGS, "columns": ["start_at", "energy_wh", "quality"]},
        {"name": "energy.homes", "columns": ["area"]},
    ]
    new, title = replace(walk.world, city=city), {"ja": "質", "en": walk.organisation.organisation_id}
    agreement = new.agreement(walk.organisation, datasets=datasets, rule={**rule, "min_subjects": 10}, title=title)
    new.give(agreement, walk.people[:20])
    sql = f"select count(*), sum(energy_wh), avg(quality) from energy.readings {condition}"
    return ask(city, new.client(walk.organisation, agreement), None, sql)


def test_question_on_a_new_column_counts_old_rows_as_missing(city: City) -> None:
    metered, new = Metered(city), grown(city)
    before = total_of(metered, new).rows[0].values
    assert before == (160, 8 * sum(100 + place for place in range(20)), None)
    with pytest.raises(TooFewSubjects):
        total_of(metered, new, "where quality is not null")
    schema = snapshot(new, READINGS).dataset.schema
    people = [person.subject_no for person in metered.people[:20]]
    columns = {
        "subject_no": people, "meter_no": people, "start_at": [BEGIN] * 20, "start_local": [BEGIN.replace(tzinfo=None)] * 20,
        "energy_wh": [2**33] * 20, "quality": [float(place) for place in range(20)],
    }  # fmt: skip
    append(new, READINGS, pa.table({name: columns[name] for name in schema.names}, schema=schema))
    assert total_of(metered, new).rows[0].values[:2] == (180, before[1] + 20 * 2**33)
    assert total_of(metered, new, "where quality is not null").rows[0].values == (20, 20 * 2**33, 9.5)


def test_erased_resident_counts_in_no_answer_not_even_in_one_about_the_past(city: City) -> None:
    metered = Metered(city)
    walk, other = asker_of(metered), asker_of(metered)
    before = walk.ask(TOTAL)
    erase_subject(city, OPERATOR, walk.people[0].subject_no)
    after = other.ask(TOTAL)
    assert (before.subjects, after.subjects) == (20, 19)
    assert after.rows[0].values[0] == before.rows[0].values[0] - 8
    with pytest.raises(SnapshotIsGone):
        ask(city, other.asker, None, TOTAL, as_of=before.snapshots)
    assert walk.seen_by(0) == [before.entry_id], "what was used stays provable"
