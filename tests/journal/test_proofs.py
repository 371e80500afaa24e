"""Proofs from a city's journal, checked with nothing but its public key."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sanpo.ground.actors import Anonymous, Client, Resident, System
from sanpo.ground.canonical import canonical_json
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.keys import Keys
from sanpo.journal import (
    JournalEntryNotFound,
    JournalEntryNotYetSequenced,
    ProofIsInvalid,
    SubjectSet,
    append,
    prove_entry,
    prove_use,
    sequence,
    verifier_key,
    verify,
)
from sanpo.journal.model import JournalEntryIsNoUse, VerifierKeyIsMalformed
from sanpo.journal.note import COSIGNATURE_V1, Signature, VerifierKey
from sanpo.journal.tlogproof import parse_proof

AYA = Resident("res_a", 7, "res_a")
BEN = Resident("res_b", 1999, "res_b")
BABY = Resident("res_c", 500_000, "res_c", "parent")
OPERATOR = System("operator")
BODY = {"purpose": "flood warning — 浸水", "subjects": 2}


def a_use(city: City, subjects: SubjectSet) -> str:
    with city.transaction(Client("cli_x", "org_x", 3)) as tx:
        return append(tx, kind="use", body=BODY, agreement_no=1, subjects=subjects).entry_id


def a_grant(city: City, subject_no: int) -> str:
    with city.transaction(OPERATOR) as tx:
        return append(tx, kind="grant.given", body={"agreement": "agr_1"}, subject_no=subject_no).entry_id


def extra_of(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parse_proof(text).extra or b"")
    return found


def with_extra(text: str, **changes: Any) -> str:
    changed = {name: value for name, value in {**extra_of(text), **changes}.items() if value is not None}
    return str(replace(parse_proof(text), extra=canonical_json(changed)))


def failed_step(text: str, key: str) -> str:
    with pytest.raises(ProofIsInvalid) as caught:
        verify(text, key)
    return str(caught.value.fields["step"])


def test_residents_prove_that_they_were_in_or_out(city: City, people: Callable[..., SubjectSet]) -> None:
    for n in range(20):
        a_grant(city, n)
    use = a_use(city, people(7, 8, universe=2000))
    sequence(city)
    key = str(verifier_key(city))
    seen = {who.subject_no: verify(prove_use(city, who, use), key) for who in (AYA, BEN, BABY)}
    assert {number: (v.subject_no, v.included) for number, v in seen.items()} == {
        7: (7, True),
        1999: (1999, False),
        500_000: (500_000, False),
    }
    verdict = seen[7]
    assert (verdict.kind, verdict.body, verdict.entry_id) == ("use", BODY, use)
    assert (verdict.origin, verdict.size, verdict.leaf_index) == (city.settings.journal_origin, 21, 20)
    assert verdict.at == "2026-04-01T00:00:00.000000Z"
    assert verdict.cosignatures == ()
    # The file survives mail and paper: the entry's own Japanese is inside base 64.
    assert prove_use(city, AYA, use).replace("—", "-").isascii()


def test_proof_stays_valid_and_is_renewed_while_the_journal_grows(
    city: City, clock: FixedClock, people: Callable[..., SubjectSet]
) -> None:
    use = a_use(city, people(7))
    sequence(city)
    old = prove_use(city, AYA, use)
    for n in range(300):
        a_grant(city, n)
        if n % 100 == 0:
            clock.advance(seconds=1)
            sequence(city)
    sequence(city)
    new = prove_use(city, AYA, use)
    key = str(verifier_key(city))
    assert (verify(old, key).size, verify(new, key).size) == (1, 301)
    assert verify(old, key).included is verify(new, key).included is True


def test_only_the_resident_of_a_grant_can_open_it(city: City) -> None:
    mine = a_grant(city, AYA.subject_no)
    sequence(city)
    key = str(verifier_key(city))
    verdict = verify(prove_entry(city, AYA, mine), key)
    assert (verdict.kind, verdict.subject_no, verdict.included) == ("grant.given", 7, True)
    for other in (BEN, Anonymous(), OPERATOR):
        text = prove_entry(city, other, mine)
        assert (verify(text, key).subject_no, verify(text, key).included) == (None, None)
        assert set(extra_of(text)) == {"leaf"}


def test_public_part_says_nothing_of_who(city: City, people: Callable[..., SubjectSet]) -> None:
    """Two entries about the same resident have nothing in common, and the leaf has no number of theirs."""
    first, second = a_grant(city, 4711), a_grant(city, 4711)
    use = a_use(city, people(4711, universe=10_000))
    sequence(city)
    leaves = [json.loads(extra_of(prove_entry(city, Anonymous(), entry))["leaf"]) for entry in (first, second, use)]
    assert leaves[0]["person"] != leaves[1]["person"]
    assert leaves[2]["subjects"]["universe"] == 10_240
    assert all("4711" not in json.dumps(leaf["body"]) for leaf in leaves)


def test_proof_is_refused_when_there_is_nothing_to_prove(city: City, people: Callable[..., SubjectSet]) -> None:
    use, grant = a_use(city, people(7)), a_grant(city, 7)
    for prove in (prove_use, prove_entry):
        with pytest.raises(JournalEntryNotFound):
            prove(city, AYA, "ent_" + "0" * 26)
        with pytest.raises(JournalEntryNotYetSequenced):
            prove(city, AYA, use)
    sequence(city)
    with pytest.raises(JournalEntryIsNoUse):
        prove_use(city, AYA, grant)


def test_any_changed_letter_makes_a_proof_worthless(city: City, people: Callable[..., SubjectSet]) -> None:
    for n in range(2):
        a_grant(city, n)
    use = a_use(city, people(7))
    sequence(city)
    text, key = prove_use(city, AYA, use), str(verifier_key(city))
    for at, letter in enumerate(text):
        other = next(c for c in (letter.swapcase(), "A1\nb"[at % 4], "2") if c != letter)
        for broken in (text[:at] + other + text[at + 1 :], text[:at]):
            with pytest.raises(ProofIsInvalid):
                verify(broken, key)


def test_verifier_names_the_step_that_fails(city: City, people: Callable[..., SubjectSet]) -> None:
    grant, other_grant, use, other_use = (
        a_grant(city, 7),
        a_grant(city, 7),
        a_use(city, people(7)),
        a_use(city, people(8)),
    )
    sequence(city)
    key = str(verifier_key(city))
    proof, opened, opened2 = (prove_entry(city, AYA, entry) for entry in (use, grant, other_grant))
    slot, person = extra_of(proof)["slot"], extra_of(opened)["person"]
    other_slot = extra_of(prove_use(city, AYA, other_use))["slot"]

    def leaf(**changes: Any) -> str:
        return canonical_json({**json.loads(extra_of(proof)["leaf"]), **changes}).decode()

    steps = {
        "no proof": ("format", "hello"),
        "extra is no JSON": ("format", str(replace(parse_proof(proof), extra=b"{"))),
        "extra is missing": ("format", str(replace(parse_proof(proof), extra=None))),
        "extra is not canonical": (
            "format",
            str(replace(parse_proof(proof), extra=(parse_proof(proof).extra or b"") + b" ")),
        ),
        "extra has a stranger": ("format", with_extra(proof, more=1)),
        "extra has deep nesting": ("format", str(replace(parse_proof(proof), extra=b"[" * 100_000))),
        "extra has half a letter": ("format", str(replace(parse_proof(proof), extra=b'{"leaf":"\\ud800"}'))),
        "slot's salt is short": ("format", with_extra(proof, slot={**slot, "salt": "00"})),
        "slot's number is no number": ("format", with_extra(proof, slot={**slot, "number": True})),
        "checkpoint is no note": ("checkpoint", str(replace(parse_proof(proof), checkpoint="x"))),
        "checkpoint's size is changed": ("signature", proof.replace("\n4\n", "\n5\n")),
        "leaf is no JSON": ("entry", with_extra(proof, leaf="x")),
        "leaf is of another version": ("entry", with_extra(proof, leaf=leaf(v=2))),
        "leaf says more": ("entry", with_extra(proof, leaf=leaf(more="x"))),
        "leaf repeats a key": ("entry", with_extra(proof, leaf='{"at":"x",' + leaf()[1:])),
        "leaf says another thing": ("inclusion", with_extra(proof, leaf=leaf(body={}))),
        "index is another": ("inclusion", str(replace(parse_proof(proof), index=0))),
        "index is beyond": ("inclusion", str(replace(parse_proof(proof), index=4))),
        "slot says out": ("subject", with_extra(proof, slot={**slot, "included": False})),
        "slot is a neighbour's": ("subject", with_extra(proof, slot={**slot, "number": 8})),
        "slot is of another use": ("subject", with_extra(proof, slot=other_slot)),
        "slot is beyond, and in": ("subject", with_extra(proof, slot={**slot, "number": 2048})),
        "slot is empty, but within": (
            "subject",
            with_extra(proof, slot={"included": False, "number": 7, "path": [], "salt": ""}),
        ),
        "slot of a grant": ("subject", with_extra(opened, slot=slot, person=None)),
        "person is another": ("person", with_extra(opened, person={**person, "subject_no": 8})),
        "person of another entry": ("person", with_extra(opened, person=extra_of(opened2)["person"])),
        "person of a use": ("person", with_extra(proof, slot=None, person=person)),
    }
    assert {name: failed_step(text, key) for name, (_, text) in steps.items()} == {
        name: step for name, (step, _) in steps.items()
    }


def test_proof_is_refused_under_another_citys_key(city: City, people: Callable[..., SubjectSet]) -> None:
    use = a_use(city, people(7))
    sequence(city)
    text, mine = prove_use(city, AYA, use), verifier_key(city)
    elsewhere = Keys(b"another city's master secret......")
    for key in (elsewhere.vkey(mine.name), city.keys.vkey("other.example/journal"), elsewhere.vkey("other.example")):
        assert failed_step(text, key) == "signature"
    assert failed_step(text, str(replace(mine, algorithm=COSIGNATURE_V1))) == "signature"
    with pytest.raises(VerifierKeyIsMalformed):
        verify(text, "")


def test_witnesses_are_reported_and_a_false_one_spoils_the_proof(city: City, people: Callable[..., SubjectSet]) -> None:
    use = a_use(city, people(7))
    sequence(city)
    text, key = prove_use(city, AYA, use), str(verifier_key(city))
    secret = Ed25519PrivateKey.generate()
    witness = VerifierKey("witness.example/w", COSIGNATURE_V1, secret.public_key().public_bytes_raw())
    note = parse_proof(text).checkpoint.rpartition("\n\n")[0] + "\n"
    signed = (1_800_000_000).to_bytes(8) + secret.sign(f"cosignature/v1\ntime 1800000000\n{note}".encode())
    cosigned = text + str(Signature(witness.name, witness.key_id, signed))
    [seen] = verify(cosigned, key, witnesses=[str(witness)]).cosignatures
    assert (seen.name, seen.unix_s) == ("witness.example/w", 1_800_000_000)
    assert verify(cosigned, key).cosignatures == ()
    assert verify(text, key, witnesses=[str(witness)]).cosignatures == ()
    false = text + str(Signature(witness.name, witness.key_id, signed[:-1] + bytes([signed[-1] ^ 1])))
    with pytest.raises(ProofIsInvalid, match="signature"):
        verify(false, key, witnesses=[str(witness)])
