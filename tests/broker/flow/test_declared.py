"""A declared history is a dataset like any: catalogued, asked about under an agreement. No question names the others."""

from dataclasses import replace
from typing import Any

import pytest

from sanpo.broker.flow.moving import flow
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.selection import OfType, Window
from sanpo.broker.temporal import evolutions
from sanpo.broker.temporal.ingest import Observation, ingest
from sanpo.broker.temporal.model import Span
from sanpo.cleanroom import ask
from sanpo.cleanroom.errors import ColumnIsUnknown
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError
from sanpo.ground.plugins import Plugins, Service, ServiceIsBroken
from sanpo.lake import DatasetIsUnknown, get_dataset, histories, list_datasets, read_subject
from tests.broker.consented import ENERGY, MANIFEST, METER, OPERATOR, TEXT, Town
from tests.world import World

DATASET = "town.meter_history"
"""As a service declares it: its own columns, and that it holds a history."""
COLUMNS: list[dict[str, Any]] = [
    {"name": "subject_no", "type": "int32", "role": "subject", "text": TEXT},
    {"name": "entity", "type": "text", "role": "key", "text": TEXT},
    {"name": "observed_at", "type": "timestamp", "role": "time", "text": TEXT},
    {"name": "energy_wh", "type": "float64", "role": "measure", "text": TEXT},
]
KEY = {"name": "meter_no", "type": "int32", "role": "key", "text": TEXT}
BESIDES = {
    "datasets": [
        {
            "name": DATASET,
            "personal": True,
            "history": True,
            "time_column": "observed_at",
            "text": TEXT,
            "columns": COLUMNS,
        }
    ],
    "histories": [
        {"dataset": DATASET, "type": METER, "columns": [{"name": "energy_wh", "attribute": ENERGY}]},
    ],
}


@pytest.fixture
def town(city: City) -> Town:
    """Twelve residents with a meter each, and one that two of them share; each meter has two old observations."""
    service = Service("town", "tests.broker.flow")
    service.__dict__["manifest"] = {**MANIFEST, **BESIDES}
    world = World(replace(city, plugins=Plugins((*city.plugins.services, service))))
    found = Town(world, world.residents(12))
    for number, whose in enumerate([*([each] for each in found.residents), found.residents[:2]]):
        entity_id = found.add_meter(number, list(whose), 0)
        told = [Observation(entity_id, ENERGY, 10.0 * number + n, f"2026-02-01T00:0{n}:00.000000Z") for n in (1, 2)]
        ingest(found.place(OPERATOR), told)
    assert flow(found.city) == 26
    return found


def test_declared_history_holds_what_is_about_one_resident(town: Town) -> None:
    rows = read_subject(town.city, town.residents[0], DATASET)
    assert [(row["entity"], row["energy_wh"]) for row in rows.to_pylist()] == [
        ("urn:ngsi-ld:Meter:0", 1),
        ("urn:ngsi-ld:Meter:0", 2),
    ]
    shared = histories.HistoryRange(range(1, 1_000_000), subject_nos=[each.subject_no for each in town.residents])
    (own,) = [each.name for each in histories.every_history(town.city) if each.internal and each.personal]
    about = histories.read_rows(town.city, own, shared)
    both = [each.subject_no for each in town.residents[:2]]
    assert sorted(about["subject_no"].to_pylist()) == sorted([*both, *both])


def test_whole_history_is_one_answer(town: Town) -> None:
    span = Span(TemporalQuery("2020-01-01T00:00:00.000000Z"))
    meters = [OfType(TypeSelection(((METER,),)))]
    found = evolutions.query_evolutions(town.place(town.residents[0]), meters, span, Window(10)).docs
    assert [[each["value"] for each in doc["attrs"][ENERGY]] for doc in found] == [[1, 2], [121, 122]]


def test_question_under_an_agreement_is_answered_from_it(town: Town) -> None:
    agreement = town.world.agreement(
        datasets=[{"name": DATASET, "columns": ["energy_wh"]}],
        rule={"dimensions": [], "measures": ["energy_wh"], "functions": ["count", "sum"], "min_subjects": 10},
    )
    town.world.give(agreement, town.residents[1:])
    answer = ask(town.city, town.client(agreement), None, f"select count(*), sum(energy_wh) from {DATASET}")
    assert [row.values for row in answer.rows] == [(22, sum(20 * number + 3 for number in range(1, 12)))]
    for column in ("raw_number", "observation_no", "instance"):
        with pytest.raises(ColumnIsUnknown):
            ask(town.city, town.client(agreement), None, f"select sum({column}) from {DATASET}")


def test_question_cannot_name_the_citys_own_histories(town: Town) -> None:
    agreement = town.world.agreement(
        datasets=[{"name": DATASET, "columns": ["energy_wh"]}],
        rule={"dimensions": [], "measures": ["energy_wh"], "functions": ["count", "sum"], "min_subjects": 10},
    )
    own = [each.name for each in histories.every_history(town.city) if each.internal]
    assert len(own) == 2
    assert DATASET in [each.name for each in list_datasets(town.city)]
    assert not any(each.internal for each in list_datasets(town.city))
    for name in own:
        with pytest.raises(DatasetIsUnknown):
            get_dataset(town.city, name)
        with pytest.raises(DomainError):
            ask(town.city, town.client(agreement), None, f"select count(*) from {name}")


@pytest.mark.parametrize(
    "change", [{"time_column": None}, {"local_column": "observed_at"}, {"columns": [*COLUMNS, KEY]}]
)
def test_history_that_no_observation_could_fill_is_refused(city: City, change: dict[str, Any]) -> None:
    service = Service("town", f"tests.broker.flow.{sorted(change)}")
    service.__dict__["manifest"] = {"datasets": [{**BESIDES["datasets"][0], **change}]}
    with pytest.raises(ServiceIsBroken) as refused:
        list_datasets(replace(city, plugins=Plugins((service,))))
    assert "a history has a time_column" in refused.value.fields["problem"]
