"""Consent decides what of personal entities leaves the broker, and the journal knows it (promises 1 to 3)."""

from collections.abc import Callable
from typing import Any

import pytest
from litestar.testing import TestClient

from sanpo.broker import batches, discovery, entities, querying
from sanpo.broker.errors import EntityExists, EntityIsInvalid, EntityNotFound, NotAWriter, SightIsContended
from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.selection import HasAttribute, OfType, Window
from sanpo.broker.sight import OPEN
from sanpo.consent import Decision, Reading
from sanpo.ground.actors import Anonymous, Resident
from sanpo.ground.city import City
from sanpo.ground.errors import NotPermitted, NotSignedIn
from tests.broker.consented import BESIDE, COLOUR, ENERGY, METER, OPERATOR, WHOSE, Town, build
from tests.journeys.town import sign_in

METERS = [OfType(TypeSelection(((METER,),)))]


@pytest.fixture
def town(city: City) -> Town:
    """Three residents: the first and second have a meter each, all three share one."""
    found = build(city, 3)
    found.add_meter(0, found.residents[:1], 10)
    found.add_meter(1, found.residents[1:2], 20)
    found.add_meter(2, found.residents, 30)
    return found


def energies(town: Town, actor: Any, parts: Any = METERS, **window: Any) -> list[int]:
    page = querying.query_entities(town.place(actor), parts, Window(**{"limit": 10, **window}))
    return [doc["attrs"][ENERGY][0]["value"] for doc in page.docs]


def test_resident_sees_their_own_and_nobody_elses(town: Town) -> None:
    assert energies(town, town.residents[0]) == [10, 30]
    assert energies(town, town.residents[2]) == [30]
    own = entities.retrieve_entity(town.place(town.residents[0]), "urn:ngsi-ld:Meter:0")
    assert own["attrs"][WHOSE][0]["object"] == f"urn:sanpo:resident:{town.residents[0].resident_id}"
    with pytest.raises(EntityNotFound):
        entities.retrieve_entity(town.place(town.residents[0]), "urn:ngsi-ld:Meter:1")
    assert len(town.uses()) == 0


def test_client_sees_granted_entities_with_the_agreed_attributes(town: Town) -> None:
    agreement = town.agreement("energy_wh", "subject")
    client = town.client(agreement)
    assert energies(town, client) == []
    town.world.give(agreement, town.residents[:2])
    assert energies(town, client) == [10, 20]
    town.world.give(agreement, town.residents[2:])
    assert energies(town, client) == [10, 20, 30]
    doc = querying.query_entities(town.place(client), METERS, Window(1)).docs[0]
    assert doc["attrs"].keys() == {ENERGY, WHOSE}
    assert doc["attrs"][WHOSE][0]["object"].startswith("urn:sanpo:subject:psn_")


def test_withdrawal_acts_on_the_next_question(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, town.residents)
    known = querying.query_entities(town.place(client), METERS, Window(10)).docs
    town.decide(agreement, town.residents[0], Decision.WITHDRAW)
    assert energies(town, client) == [20]
    for doc, seen in zip(known, (False, True, False), strict=True):
        if seen:
            assert entities.retrieve_entity(town.place(client), doc["id"]) == doc
        else:
            with pytest.raises(EntityNotFound):
                entities.retrieve_entity(town.place(client), doc["id"])


def test_two_recipients_cannot_join_what_they_see(town: Town) -> None:
    seen = []
    for owner in (town.world.university, town.world.company):
        agreement = town.agreement("energy_wh", "subject", owner=owner)
        town.world.give(agreement, town.residents)
        client = town.client(agreement, owner)
        docs = querying.query_entities(town.place(client), METERS, Window(10)).docs
        assert all(doc["id"].startswith("urn:sanpo:entity:") for doc in docs)
        seen.append({doc["id"] for doc in docs} | {doc["attrs"][WHOSE][0]["object"][0] for doc in docs[2:]})
        for entity_id in ("urn:ngsi-ld:Meter:0", *(seen[0] if len(seen) == 2 else ())):
            with pytest.raises(EntityNotFound):
                entities.retrieve_entity(town.place(client), entity_id)
    assert not seen[0] & seen[1]


def test_condition_on_what_is_not_agreed_tells_nothing(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    client = town.client(agreement)
    assert energies(town, client, [*METERS, HasAttribute(frozenset({COLOUR}))]) == []
    assert energies(town, client, [*METERS, HasAttribute(frozenset({ENERGY}))]) == [10, 20, 30]


def test_every_use_is_in_the_journal_of_whom_it_was_about(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    client = town.client(agreement)
    town.world.give(agreement, town.residents[:2])
    assert energies(town, client, limit=1) == [10]
    assert len(town.uses()) == 1
    assert town.uses_of_each() == [1, 0, 0]
    page = querying.query_entities(town.place(client), METERS, Window(0, count=True))
    assert page.count == 2
    assert town.uses_of_each() == [2, 1, 0]
    body = town.uses()[0]
    assert (body["operation"], body["entities"], body["subjects"]) == ("query", 2, 2)


def test_no_answer_leaves_while_residents_withdraw(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    answers, confirm = iter([False, True]), Reading.confirm
    monkeypatch.setattr(Reading, "confirm", lambda *given: next(answers) and confirm(*given))
    assert energies(town, town.client(agreement)) == [10, 20, 30]
    assert len(town.uses()) == 1
    monkeypatch.setattr(Reading, "confirm", lambda *given: False)
    with pytest.raises(SightIsContended):
        energies(town, town.client(agreement))
    assert len(town.uses()) == 1


def test_others_see_nothing_personal(town: Town) -> None:
    agreement = town.agreement("energy_wh")
    town.world.give(agreement, town.residents)
    other = town.world.client(town.world.company, agreement)
    for actor in (town.world.officer, town.world.client(town.world.university), other, OPERATOR):
        assert energies(town, actor) == []
        assert [each.iri for each in discovery.list_types(town.place(actor))] == []
    with pytest.raises(NotSignedIn):
        energies(town, Anonymous())
    assert [each.iri for each in discovery.list_types(town.place(town.residents[0]))] == [METER]


def test_personal_entity_must_name_its_residents(town: Town) -> None:
    with pytest.raises(EntityIsInvalid):
        town.add_meter(9, [], 1)
    stranger = Resident("res_00000000000000000000000000", 99, "res_00000000000000000000000000")
    with pytest.raises(EntityIsInvalid):
        town.add_meter(9, [stranger], 1)


def test_only_named_organisations_write(town: Town) -> None:
    client = town.world.client(town.world.university)
    now = town.place(client).now()
    thing: Any = {"id": "urn:a:b", "type": ["T"], "createdAt": now, "modifiedAt": now, "attrs": {}}
    with pytest.raises(NotAWriter):
        entities.create_entity(town.place(client), thing)
    with pytest.raises(NotPermitted):
        entities.create_entity(town.place(town.residents[0]), thing)
    entities.allow_writing(town.city, OPERATOR, town.world.university.organisation_id)
    entities.create_entity(town.place(client), thing)
    meter: Any = {
        **thing,
        "id": "urn:a:m",
        "type": [METER],
        "attrs": {WHOSE: [{"type": "Relationship", "object": [f"urn:sanpo:resident:{town.residents[0].resident_id}"]}]},
    }
    with pytest.raises(NotPermitted):
        entities.create_entity(town.place(client), meter)
    entities.allow_writing(town.city, OPERATOR, town.world.university.organisation_id, personal=True)
    entities.create_entity(town.place(client), meter)
    with pytest.raises(EntityIsInvalid):
        entities.replace_entity(town.place(client), "urn:a:m", {**thing, "id": "urn:a:m"})


def test_operator_sees_tenants_with_their_numbers(town: Town) -> None:
    assert [(each.name, each.entities) for each in entities.list_tenants(town.city, OPERATOR)] == [("", 3)]
    with pytest.raises(NotPermitted):
        entities.list_tenants(town.city, town.residents[0])


def test_relationship_to_a_personal_entity_names_it_as_the_recipient_knows_it(town: Town) -> None:
    town.add_meter(5, town.residents[:1], 50, beside="urn:ngsi-ld:Meter:0")
    agreement = town.agreement("energy_wh", "beside")
    town.world.give(agreement, town.residents[:1])
    docs = querying.query_entities(town.place(town.client(agreement)), METERS, Window(10)).docs
    assert [doc["attrs"][BESIDE][0]["object"] for doc in docs] == ["urn:a:lamp", docs[0]["id"]]


def test_writer_of_public_entities_cannot_touch_a_personal_one(town: Town) -> None:
    place, taken = town.place(OPEN), "urn:ngsi-ld:Meter:0"
    now = place.now()
    thing: Any = {"id": taken, "type": ["T"], "createdAt": now, "modifiedAt": now, "attrs": {}}
    other: Any = {**thing, "id": "urn:a:b"}
    results = batches.upsert_entities(place, [thing, other])
    assert results.created == ["urn:a:b"]
    assert [(entity_id, type(error)) for entity_id, error in results.errors] == [(taken, EntityExists)]
    fragment: Any = {
        "id": taken,
        "attrs": {ENERGY: [{"type": "Property", "value": 99, "createdAt": now, "modifiedAt": now}]},
    }
    for change in (
        lambda: entities.delete_entity(place, taken),
        lambda: entities.merge_entity(place, taken, fragment),
        lambda: entities.replace_entity(place, taken, thing),
    ):
        with pytest.raises(EntityNotFound):
            change()
    assert [type(error) for _, error in batches.merge_entities(place, [fragment]).errors] == [EntityNotFound]
    assert [type(error) for _, error in batches.delete_entities(place, [taken]).errors] == [EntityNotFound]
    assert energies(town, town.residents[0]) == [10, 30]


def test_page_says_that_values_are_handed_over(web: Any, client: Callable[[], TestClient[Any]], town: Town) -> None:
    """An agreement over entities hands over each resident's own values, and not totals of many: the page says which."""
    meters, totals = town.agreement("energy_wh"), town.world.agreement()
    made = client()
    web.state.city = town.city
    reader = sign_in(town.city, lambda: made, town.residents[0].resident_id)
    pages = [reader.get(f"/consent/agreements/{each.agreement_id}").text for each in (meters, totals)]
    assert ["あなた自身の値が" in page for page in pages] == [True, False]
    assert ["一人ひとりの値は渡りません" in page for page in pages] == [False, True]
