"""Forged admissions: made by hand, copied with more people, kept from another process. The gate and every engine refuse."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest

from sanpo.cleanroom.catalogue import scope_of
from sanpo.cleanroom.engines import duckdb_engine, reference
from sanpo.cleanroom.model import Measure, Question
from sanpo.cleanroom.plan import Plan, make_plan
from sanpo.consent import Admission, Decision, admit, check_genuine, confirm
from sanpo.consent.gate import AdmissionIsForged
from sanpo.ground.db import Transaction
from sanpo.lake import snapshot
from tests.attacks.siege import Siege

READINGS = "energy.readings"
QUESTION = Question(dataset=READINGS, measures=(Measure(function="sum", column="energy_wh"),))
EVERYBODY = b"\xff" * 256


@pytest.fixture
def tx(siege: Siege) -> Iterator[Transaction]:
    with siege.city.transaction(siege.world.client(siege.world.university, siege.agreement)) as transaction:
        yield transaction


@pytest.fixture
def genuine(siege: Siege, tx: Transaction) -> Admission:
    return admit(tx, tx.actor, siege.agreement.agreement_id, dataset=READINGS, columns=frozenset({"energy_wh"}))


def plan_of(siege: Siege, admission: Any) -> Plan:
    return make_plan(QUESTION, scope_of(siege.city, READINGS), {READINGS: snapshot(siege.city, READINGS)}, admission)


def by_hand(a: Admission) -> Admission:
    return Admission(a.agreement, a.dataset, a.columns, EVERYBODY, a.admitted_at, a.asked_by, b"\x00" * 32)


def with_seal_kept(a: Admission) -> Admission:
    return Admission(a.agreement, a.dataset, a.columns, EVERYBODY, a.admitted_at, a.asked_by, a._seal)


def with_one_person_more(a: Admission) -> Admission:
    bits = bytearray(a.bits)
    bits[a.universe // 8 - 1] |= 0x80
    return replace(a, bits=bytes(bits))


def set_in_place(name: str, value: Any) -> Any:
    def forge(a: Admission) -> Admission:
        copied = copy.copy(a)
        object.__setattr__(copied, name, value)
        return copied

    return forge


def with_subjects_written_in(a: Admission) -> Any:
    """What a cached property would have believed."""
    copied = replace(a, bits=EVERYBODY)
    vars(copied)["subjects"] = np.arange(10, dtype=np.int32)
    return copied


def with_a_looser_rule(a: Admission) -> Admission:
    """The agreement's identifier and hash stay, its rule does not."""
    rule = msgspec.structs.replace(a.agreement.rule, min_subjects=2)
    draft = msgspec.structs.replace(a.agreement.draft, rule=rule)
    document = msgspec.structs.replace(a.agreement.document, draft=draft)
    return replace(a, agreement=msgspec.structs.replace(a.agreement, document=document))


def with_another_agreement_number(a: Admission) -> Admission:
    return replace(a, agreement=msgspec.structs.replace(a.agreement, agreement_no=a.agreement.agreement_no + 1))


def as_subclass(a: Admission) -> Admission:
    class Wide(Admission):
        @property
        def subjects(self) -> Any:
            return np.arange(1000, dtype=np.int32)

    return Wide(a.agreement, a.dataset, a.columns, a.bits, a.admitted_at, a.asked_by, a._seal)


def as_look_alike(a: Admission) -> Any:
    class LookAlike:
        subjects, universe, bits, agreement = np.arange(10, dtype=np.int32), 2048, EVERYBODY, a.agreement

    return LookAlike()


FORGERIES = {
    "made_by_hand": by_hand,
    "seal_kept": with_seal_kept,
    "one_person_more": with_one_person_more,
    "bits_set_in_place": set_in_place("bits", EVERYBODY),
    "bits_that_can_change": set_in_place("bits", bytearray(EVERYBODY)),
    "seal_of_nothing": set_in_place("_seal", b""),
    "seal_that_is_none": set_in_place("_seal", None),
    "dataset_changed": set_in_place("dataset", "energy.homes"),
    "columns_widened": set_in_place("columns", frozenset({"energy_wh", "meter_no"})),
    "columns_that_are_none": set_in_place("columns", None),
    "asker_changed": set_in_place("asked_by", "cli_other"),
    "subjects_written_in": with_subjects_written_in,
    "looser_rule": with_a_looser_rule,
    "another_agreement_number": with_another_agreement_number,
    "subclass": as_subclass,
    "look_alike": as_look_alike,
    "none": lambda a: None,
}


@pytest.mark.parametrize("name", FORGERIES)
def test_forged_admission_is_refused_by_the_gate_and_by_every_engine(
    siege: Siege, tx: Transaction, genuine: Admission, name: str
) -> None:
    assert confirm(tx, genuine)
    assert duckdb_engine.run(plan_of(siege, genuine), siege.city.settings) != []
    assert reference.run(plan_of(siege, genuine)) != []
    forged: Any = FORGERIES[name](genuine)
    with pytest.raises(AdmissionIsForged):
        check_genuine(forged)
    with pytest.raises(AdmissionIsForged):
        confirm(tx, forged)
    with pytest.raises(AdmissionIsForged):
        duckdb_engine.run(plan_of(siege, forged), siege.city.settings)
    with pytest.raises(AdmissionIsForged):
        reference.run(plan_of(siege, forged))


def test_pickled_admission_is_refused_in_another_process(genuine: Admission) -> None:
    check_genuine(pickle.loads(pickle.dumps(genuine)))
    program = (
        "import pickle, sys\n"
        "from sanpo.consent.gate import AdmissionIsForged, check_genuine\n"
        "admission = pickle.load(sys.stdin.buffer)\n"
        "try:\n    check_genuine(admission)\n"
        "except AdmissionIsForged:\n    sys.exit(42)\n"
    )
    other = subprocess.run([sys.executable, "-c", program], input=pickle.dumps(genuine), check=False, timeout=60)
    assert other.returncode == 42


def test_admission_kept_past_its_transaction_confirms_nothing(siege: Siege, genuine: Admission) -> None:
    """Another transaction was not admitted: row-level security shows it no grant, so that nothing is released."""
    with siege.city.transaction(siege.world.client(siege.world.university, siege.agreement)) as other:
        assert confirm(other, genuine) is False


def test_admission_from_before_a_withdrawal_confirms_nothing(siege: Siege) -> None:
    client = siege.world.client(siege.world.university, siege.agreement)
    agreement_id = siege.agreement.agreement_id
    siege.decide(12, Decision.GIVE)
    with siege.city.transaction(client) as tx:
        before = admit(tx, client, agreement_id, dataset=READINGS, columns=frozenset({"energy_wh"}))
    siege.decide(12, Decision.WITHDRAW)
    with siege.city.transaction(client) as tx:
        after = admit(tx, client, agreement_id, dataset=READINGS, columns=frozenset({"energy_wh"}))
        assert set(before.subjects) - set(after.subjects) == {siege.residents[12].subject_no}
        assert confirm(tx, after)
        assert not confirm(tx, before)
