"""Consent through `/v2`: a client reads exactly what NGSI-LD shows it under its agreement, and the journal is the same."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanpo.broker.errors import EntityNotFound
from sanpo.broker.ngsi_ld.calls import Call as CallOfNgsiLd
from sanpo.broker.ngsi_ld.entities import retrieve as retrieve_by_ngsi_ld
from sanpo.broker.ngsi_ld.queries import query as query_by_ngsi_ld
from sanpo.broker.ngsi_v2.calls import Call
from sanpo.broker.ngsi_v2.entities import query, retrieve
from sanpo.broker.store import decode
from sanpo.consent import Decision
from sanpo.ground.city import City
from tests.broker.consented import Town, build

JSON = "application/json"


def asked(kind: Any, town: Town, actor: Any, segments: list[str] | None = None, **query: str) -> Any:
    return kind(town.city, actor, "GET", segments or [], query, {}, b"", JSON)


def values_in(docs: Any, *, key: str) -> list[dict[str, Any]]:
    """Values by name, whichever face has shown them."""
    return [
        {
            name: each if name == "id" else each.get("value", each.get(key))
            for name, each in doc.items()
            if name != "type"
        }
        for doc in docs
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=8)
@given(
    st.sets(st.integers(0, 2)),
    st.sets(st.integers(0, 2)),
    st.sampled_from([("energy_wh",), ("energy_wh", "colour"), ("energy_wh", "subject")]),
    st.sampled_from(["", "energy>15", "colour==red", "!colour"]),
)
def test_both_faces_show_the_same_and_record_the_same(
    city: City, granting: set[int], withdrawing: set[int], columns: tuple[str, ...], q: str
) -> None:
    town = build(city, 3)
    for number in range(3):
        whose = town.residents[number : number + 2]
        town.add_meter(number or 100, whose, 10 * (number + 1), "red" if number else "blue")
    agreement = town.agreement(*columns)
    client = town.client(agreement)
    town.world.give(agreement, [town.residents[number] for number in sorted(granting)])
    for number in granting & withdrawing:
        town.decide(agreement, town.residents[number], Decision.WITHDRAW)
    more = {"q": q} if q else {}
    old = {"q": 'colour=="red"' if q == "colour==red" else q} if q else {}
    before = len(town.uses())
    shown = decode(query(asked(Call, town, client, type="Meter", **more)).body)
    used = town.uses()[: len(town.uses()) - before]
    by_ngsi_ld = decode(query_by_ngsi_ld(asked(CallOfNgsiLd, town, client, type="Meter", **old)).body)
    used_by_ngsi_ld = town.uses()[: len(town.uses()) - before - len(used)]
    assert values_in(shown, key="value") == values_in(by_ngsi_ld, key="object")
    what = ("operation", "entities", "subjects", "agreement_id")
    assert [[use[name] for name in what] for use in used] == [[use[name] for name in what] for use in used_by_ngsi_ld]
    assert bool(used) == bool(shown)
    for doc in shown:
        assert decode(retrieve(asked(Call, town, client, [doc["id"]])).body) == doc
    _clear(town)


def _clear(town: Town) -> None:
    """So that the next example begins with no meters."""
    from sanpo.broker.batches import delete_entities
    from tests.broker.consented import OPERATOR

    delete_entities(town.place(OPERATOR), [f"urn:ngsi-ld:Meter:{number}" for number in (100, 1, 2)])


def test_retrieve_is_the_same_use_and_what_is_not_granted_is_not_there(city: City) -> None:
    town = build(city, 2)
    town.add_meter(0, town.residents[:1], 10)
    town.add_meter(1, town.residents[1:], 20)
    agreement = town.agreement("energy_wh", "subject")
    client = town.client(agreement)
    town.world.give(agreement, town.residents[:1])
    (doc,) = decode(query(asked(Call, town, client, type="Meter")).body)
    assert doc["id"].startswith("urn:sanpo:entity:")
    assert doc.keys() == {"id", "type", "energy", "dataSubject"}
    one = decode(retrieve(asked(Call, town, client, [doc["id"]])).body)
    other = decode(retrieve_by_ngsi_ld(asked(CallOfNgsiLd, town, client, [doc["id"]])).body)
    assert one == doc
    assert one["dataSubject"]["value"] == other["dataSubject"]["object"]
    uses = {use["operation"]: use["answers"] for use in town.uses() if "answers" in use}
    assert uses == {"query": 1, "retrieve": 2}
    assert town.uses_of_each() == [2, 0]
    for entity_id in ("urn:ngsi-ld:Meter:0", "urn:ngsi-ld:Meter:1"):
        try:
            retrieve(asked(Call, town, client, [entity_id]))
        except EntityNotFound:
            continue
        raise AssertionError(entity_id)
