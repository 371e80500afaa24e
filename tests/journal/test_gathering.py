"""Small uses become entries by the second: committed with their answers, one entry for those that are alike, provable."""

import contextlib
from typing import Any

from sanpo.ground.actors import Client, Resident, System
from sanpo.ground.city import City
from sanpo.journal import audit, gather, list_entries, list_uses_of, prove_use, sequence, verifier_key, verify

ASKER = Client("cli_x", "org_x", 3)
READ: dict[str, Any] = {"agreement_id": "agr_1", "operation": "retrieve"}


def resident(number: int) -> Resident:
    return Resident(f"res_{number}", number, f"res_{number}")


def use(city: City, *numbers: int, agreement_no: int = 4, universe: int = 2048, **body: Any) -> None:
    """One answer about these residents."""
    with city.transaction(ASKER) as tx:
        given = {"agreement_no": agreement_no, "organisation_no": 3, "subjects": numbers, "universe": universe}
        gather(tx, body={**READ, **body}, counts={"entities": len(numbers)}, **given)


def test_uses_alike_become_one_entry_with_their_sums(city: City) -> None:
    use(city, 7)
    use(city, 7, 1999)
    assert list_entries(city) == []
    sequence(city)
    [entry] = list_entries(city)
    at = city.now().isoformat(timespec="milliseconds")
    assert entry.body == {
        **READ,
        "answers": 2,
        "entities": 3,
        "subjects": 2,
        "first_answered_at": at,
        "answered_at": at,
    }
    assert (entry.kind, entry.agreement_no, entry.organisation_no, entry.leaf_index) == ("use", 4, 3, 0)
    assert [len(list_uses_of(city, resident(number))) for number in (7, 1999, 8)] == [1, 1, 0]


def test_uses_that_differ_stay_apart_in_their_order(city: City) -> None:
    use(city, 7, operation="query")
    use(city, 8)
    use(city, 9, agreement_no=5)
    use(city, 10, operation="query")
    sequence(city)
    found = [(entry.agreement_no, entry.body["operation"], entry.body["subjects"]) for entry in list_entries(city)]
    assert found == [(5, "retrieve", 1), (4, "retrieve", 1), (4, "query", 2)]


def test_each_resident_can_prove_in_or_out(city: City) -> None:
    use(city, 7)
    use(city, 2500)  # beyond the universe that the asker knew of
    sequence(city)
    [entry] = list_entries(city)
    for number, included in ((7, True), (8, False), (2500, True), (90_000, False)):
        verdict = verify(prove_use(city, resident(number), entry.entry_id), str(verifier_key(city)))
        assert verdict.included is included
    assert audit(city).uses == 1


def test_a_use_is_gone_with_its_transaction(city: City) -> None:
    with contextlib.suppress(ZeroDivisionError), city.transaction(ASKER) as tx:
        gather(tx, body=READ, counts={}, agreement_no=4, organisation_no=3, subjects=[7], universe=2048)
        raise ZeroDivisionError
    assert sequence(city) is None


def test_nobody_but_the_sequencer_sees_what_waits(city: City) -> None:
    use(city, 7)
    for actor in (ASKER, resident(7), System("operator")):
        with city.transaction(actor) as tx:
            assert tx.get("select count(*) as n from journal.gathered").n == 0
            assert tx.execute("delete from journal.gathered") == 0
    sequence(city)
    assert len(list_entries(city)) == 1
