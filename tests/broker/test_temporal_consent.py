"""Consent decides what a history contains, as it decides what a read contains (promises 1 to 3)."""

from typing import Any

import pytest

from sanpo.broker.changing import SCOPE
from sanpo.broker.errors import EntityNotFound
from sanpo.broker.flow.moving import flow
from sanpo.broker.language.scopes import parse_scope_q
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.selection import OfType, ScopeQ, Window
from sanpo.broker.temporal import aggregates, evolutions, recording
from sanpo.broker.temporal.durations import Duration
from sanpo.broker.temporal.ingest import Observation, ingest
from sanpo.broker.temporal.model import Aggregation, Span
from sanpo.consent import Decision
from sanpo.ground.actors import Anonymous
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from tests.broker.consented import COLOUR, ENERGY, METER, OPERATOR, WHOSE, Town, build

METERS = [OfType(TypeSelection(((METER,),)))]
SPAN = Span(TemporalQuery("2020-01-01T00:00:00.000000Z"))
SUM = Aggregation(("sum",), Duration())


@pytest.fixture(params=["here", "in the lake"])
def town(city: City, request: pytest.FixtureRequest) -> Town:
    """Three residents: the first and second have a meter each, all three share one; each meter has two observations."""
    found = build(city, 3)
    for number, whose in enumerate((found.residents[:1], found.residents[1:2], found.residents)):
        entity_id = found.add_meter(number, whose, 0)
        told = [Observation(entity_id, ENERGY, 10.0 * number + n, f"2026-03-01T00:0{n}:00.000000Z") for n in (1, 2)]
        assert ingest(found.place(OPERATOR), told) == set()
    if request.param == "in the lake":
        assert flow(found.city) == 6
    return found


def seen(town: Town, actor: Any) -> list[list[int]]:
    found = evolutions.query_evolutions(town.place(actor), METERS, SPAN, Window(10))
    return [[each["value"] for each in doc["attrs"].get(ENERGY, [])] for doc in found.docs]


def sums(town: Town, actor: Any) -> list[Any]:
    found = aggregates.query_aggregates(town.place(actor), METERS, SPAN, Window(10), SUM)
    return [doc["attrs"][ENERGY][0]["sum"][0][0] for doc in found.docs]


def test_resident_sees_their_own_history(town: Town) -> None:
    assert seen(town, town.residents[0]) == [[1, 2], [21, 22]]
    assert sums(town, town.residents[0]) == [3, 43]
    assert seen(town, town.residents[2]) == [[21, 22]]
    with pytest.raises(EntityNotFound):
        evolutions.retrieve_evolution(town.place(town.residents[0]), "urn:ngsi-ld:Meter:1", SPAN)


def test_client_sees_what_is_granted_and_agreed(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    assert seen(town, client) == []
    town.world.give(agreement, town.residents[:2])
    assert seen(town, client) == [[1, 2], [11, 12]]
    assert sums(town, client) == [3, 23]
    town.world.give(agreement, town.residents[2:])
    found = evolutions.query_evolutions(town.place(client), METERS, Span(), Window(10)).docs
    assert [set(doc["attrs"]) for doc in found] == [{ENERGY}] * 3
    assert not any("instanceId" in each for doc in found for each in doc["attrs"][ENERGY])
    assert all(doc["id"].startswith("urn:sanpo:entity:") for doc in found)
    whole = aggregates.query_aggregates(town.place(client), METERS, Span(), Window(10), SUM).docs
    assert [set(doc["attrs"]) for doc in whole] == [{ENERGY}] * 3
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    assert seen(town, client) == [[11, 12]]
    assert sums(town, client) == [23]
    one = evolutions.retrieve_evolution(town.place(client), found[1]["id"], SPAN).docs[0]
    assert one["id"] == found[1]["id"]
    for entity_id in (found[0]["id"], "urn:ngsi-ld:Meter:1"):
        with pytest.raises(EntityNotFound):
            evolutions.retrieve_evolution(town.place(client), entity_id, SPAN)
        with pytest.raises(EntityNotFound):
            aggregates.retrieve_aggregates(town.place(client), entity_id, SPAN, SUM)


def test_recipients_know_residents_and_meters_by_names_of_their_own(town: Town) -> None:
    names = []
    for owner in (town.world.university, town.world.company):
        agreement = town.agreement("energy_wh", "subject", owner=owner)
        town.world.give(agreement, town.residents)
        docs = evolutions.query_evolutions(town.place(town.client(agreement, owner)), METERS, Span(), Window(10)).docs
        names.append({doc["id"] for doc in docs} | {str(doc["attrs"][WHOSE][0]["object"]) for doc in docs})
        assert "subject_no" not in str(docs)
        assert not any(each.resident_id in str(docs) for each in town.residents)
    assert not names[0] & names[1]


def test_history_from_before_a_change_of_residents_needs_their_grant(town: Town) -> None:
    first, second, _ = town.residents
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, [second])
    assert seen(town, client) == [[11, 12]]
    more: Any = {
        "attrs": {
            ENERGY: [{"type": "Property", "value": 99, "observedAt": "2026-03-01T00:03:00Z"}],
            WHOSE: [{"type": "Relationship", "object": [f"urn:sanpo:resident:{first.resident_id}"]}],
        }
    }
    recording.append_to_evolution(town.place(OPERATOR), "urn:ngsi-ld:Meter:1", more)
    assert seen(town, client) == [[11, 12]]
    assert sums(town, client) == [23]
    town.world.give(agreement, [first])
    assert seen(town, client) == [[1, 2], [11, 12, 99]]
    assert sums(town, client) == [3, 122]


def test_every_use_of_a_history_is_in_the_journal(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, town.residents[:2])
    seen(town, client)
    sums(town, client)
    assert town.uses_of_each() == [1, 1, 0]
    (body,) = town.uses()
    assert (body["operation"], body["answers"], body["entities"], body["subjects"]) == ("temporal query", 2, 4, 2)


def test_others_see_no_personal_history(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    other = town.world.client(town.world.company, agreement)
    for actor in (town.world.officer, town.world.client(town.world.university), other, OPERATOR):
        assert seen(town, actor) == []
        assert sums(town, actor) == []
        with pytest.raises(EntityNotFound):
            evolutions.retrieve_evolution(town.place(actor), "urn:ngsi-ld:Meter:0", SPAN)
    with pytest.raises(NotSignedIn):
        seen(town, Anonymous())


def test_history_alone_of_a_personal_entity_is_personal(town: Town) -> None:
    resident = town.residents[0]
    told: Any = {
        "type": [METER],
        "attrs": {
            COLOUR: [{"type": "Property", "value": "red", "observedAt": "2026-03-01T00:00:00Z"}],
            WHOSE: [{"type": "Relationship", "object": [f"urn:sanpo:resident:{resident.resident_id}"]}],
        },
    }
    assert recording.put_evolution(town.place(OPERATOR), "urn:ngsi-ld:Meter:9", told)
    assert len(seen(town, resident)) == 3
    assert len(seen(town, town.residents[1])) == 2
    with pytest.raises(NotPermitted):
        recording.delete_evolution(town.place(resident), "urn:ngsi-ld:Meter:9")


def test_scopes_that_are_not_in_sight_select_nothing(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, town.residents[1:2])
    scope = {"type": "Property", "value": "/North", "observedAt": "2026-02-01T00:00:00Z"}
    recording.append_to_evolution(town.place(OPERATOR), "urn:ngsi-ld:Meter:1", {"attrs": {SCOPE: [scope]}})
    north = [*METERS, ScopeQ(parse_scope_q("/North"))]
    assert evolutions.query_evolutions(town.place(client), north, SPAN, Window(10)).docs == []
    assert len(evolutions.query_evolutions(town.place(town.residents[1]), north, SPAN, Window(10)).docs) == 1
