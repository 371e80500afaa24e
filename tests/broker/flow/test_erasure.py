"""The erasure of a resident reaches the picture of the city: entities, histories here and in the lake, notifications."""

from typing import Any

import psycopg
import pytest

from sanpo.broker import changing, entities
from sanpo.broker.errors import EntityNotFound
from sanpo.broker.flow.moving import flow
from sanpo.broker.temporal import evolutions, recording
from sanpo.broker.temporal.ingest import Observation, ingest
from sanpo.broker.temporal.model import Span
from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.journal import list_entries
from sanpo.lake import histories
from sanpo.lake.upkeep import erase_subject
from tests.broker.consented import COLOUR, ENERGY, OPERATOR, WHOSE, Town, build

OWN, SHARED, OTHERS = (f"urn:ngsi-ld:Meter:{number}" for number in range(3))

WAITING = (
    """insert into broker.changes (tenant_no, entity_no, entity_id, kind, types, added, updated, removed, subjects, at)
       select tenant_no, entity_no, entity_id, 'created', types, '{}', '{}', '{}', subjects, now() from broker.entities""",
    """insert into broker.subscriptions (tenant_no, subscription_id, owner, doc, context, endpoint, is_active, revision,
                                         created_at, modified_at)
       select tenant_no, 'urn:s', 'o', '{}', '{}', 'http://x', true, 1, now(), now() from broker.tenants limit 1""",
    """insert into broker.notifications (notification_id, subscription_no, items, dead, queued_at, due_at)
       select 'urn:n:' || dead, subscription_no, items, dead, now(), now() from broker.subscriptions, (
         select jsonb_agg(jsonb_build_object('doc', doc, 'subjects', subjects)) as items from broker.entities) as told,
         unnest(array[true, false]) as dead""",
)
"""Changes that nobody has taken out yet, a notification that waits and one that is dead: each of all entities."""


@pytest.fixture
def town(city: City) -> Town:
    """The first resident has a meter, shares one with the second, and the third is somebody's alone. Old and new values."""
    found = build(city, 2)
    first, second = found.residents
    for number, whose in enumerate(([first], [first, second], [second])):
        entity_id = found.add_meter(number, whose, 0)
        told = [Observation(entity_id, ENERGY, float(n), f"2026-0{n}-01T00:00:00.000000Z") for n in (1, 2, 3)]
        ingest(found.place(OPERATOR), told)
    assert flow(found.city) == 9
    for entity_id in (OWN, SHARED, OTHERS):
        ingest(found.place(OPERATOR), [Observation(entity_id, ENERGY, 4.0, "2026-03-31T00:00:00.000000Z")])
    return found


def told(town: Town, resident: Resident, entity_id: str) -> list[Any]:
    (doc,) = evolutions.retrieve_evolution(town.place(resident), entity_id, Span()).docs
    return [each["value"] for each in doc["attrs"].get(ENERGY, []) if "observedAt" in each]


def about_in_the_lake(city: City) -> list[int]:
    found: list[int] = []
    for each in histories.every_history(city):
        if each.personal:
            wanted = histories.HistoryRange(range(1, 1_000_000), subject_nos=range(1, 100_000))
            found += histories.read_rows(city, each.name, wanted)["subject_no"].to_pylist()
    return found


def test_what_was_about_one_is_gone_and_what_is_about_others_stays(town: Town) -> None:
    first, second = town.residents
    others = told(town, second, OTHERS)
    assert told(town, second, SHARED) == told(town, first, OWN) == others == [1, 2, 3, 4]
    done = erase_subject(town.city, OPERATOR, first.subject_no)
    assert done.state == "erased"
    assert first.subject_no not in about_in_the_lake(town.city)
    assert told(town, second, SHARED) == told(town, second, OTHERS) == others
    shared = entities.retrieve_entity(town.place(second), SHARED)
    assert shared["attrs"][WHOSE][0]["object"] == f"urn:sanpo:resident:{second.resident_id}"
    for entity_id in (OWN, SHARED):
        with pytest.raises(EntityNotFound):
            entities.retrieve_entity(town.place(first), entity_id)
        with pytest.raises(EntityNotFound):
            told(town, first, entity_id)
    (doc,) = evolutions.retrieve_evolution(town.place(second), SHARED, Span(attributes=frozenset({WHOSE}))).docs
    assert first.resident_id not in str(doc)


def test_nothing_in_the_database_names_the_erased_resident(town: Town) -> None:
    first = town.residents[0]
    told_too: Any = {"type": "Property", "value": "blue", "observedAt": "2026-03-31T00:00:00.000000Z"}
    recording.append_to_evolution(town.place(OPERATOR), SHARED, {"attrs": {COLOUR: [told_too]}})
    with psycopg.connect(town.city.settings.database_owner_url) as conn:
        for statement in WAITING:
            conn.execute(statement)
    done = erase_subject(town.city, OPERATOR, first.subject_no)
    assert done.elsewhere["entities_deleted"] == done.elsewhere["entities_left"] == 1
    assert done.elsewhere["notifications_deleted"] == 2
    assert done.elsewhere["observations_deleted"] > 0
    (entry,) = [each for each in list_entries(town.city) if each.kind == "erasure"]
    assert entry.body["elsewhere"] == dict(done.elsewhere)
    with psycopg.connect(town.city.settings.database_owner_url) as conn:
        for table in ("entities", "departed", "observations", "writes", "changes", "flowed", "notifications"):
            rows = conn.execute(f"select t::text as row from broker.{table} t").fetchall()  # fixed names
            assert not [row for row in rows if f'subject_no:{first.subject_no}"' in str(row)], table
            if table != "notifications":
                named = f"select count(*) from broker.{table} where subjects @> array[{first.subject_no}]"
                assert conn.execute(named).fetchone() == (0,), table
        items = conn.execute("select jsonb_array_length(items) from broker.notifications").fetchall()
    assert items == [(1,), (1,)]


def test_erasure_again_finds_nothing(town: Town) -> None:
    first, _ = town.residents
    erase_subject(town.city, OPERATOR, first.subject_no, now=True)
    again = erase_subject(town.city, OPERATOR, first.subject_no)
    assert set(again.elsewhere.values()) == {0}
    assert again.took_out == ()


def test_history_about_others_outlives_an_entity_that_changed_hands(town: Town) -> None:
    """A meter that was the second's before it became the first's: what it measured for the second is theirs."""
    first, second = town.residents
    whose: Any = {"type": "Relationship", "object": [f"urn:sanpo:resident:{first.resident_id}"]}
    now = town.place(OPERATOR).now()

    def hand_over(doc: Any, now: str) -> Any:
        return changing.partial(doc, WHOSE, whose, now)

    entities.change_entity(town.place(OPERATOR), OTHERS, hand_over, [WHOSE])
    ingest(town.place(OPERATOR), [Observation(OTHERS, ENERGY, 5.0, now)])
    erase_subject(town.city, OPERATOR, first.subject_no)
    assert told(town, second, OTHERS) == [1, 2, 3, 4]
