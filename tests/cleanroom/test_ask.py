"""The whole walk on a real city: promises 1, 2, 3, 5 and 7 as a sceptic would try them."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sanpo.cleanroom import actions, ask, parse_sql, recording
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.errors import (
    AgreementIsNotNamed,
    ConsentMovedDuringQuestion,
    DimensionIsNotInRule,
    DisclosureIsNotSafe,
    EngineIsUnavailable,
    TooFewSubjects,
)
from sanpo.consent import admit
from sanpo.consent.gate import AdmissionIsForged, AgreementIsNotInForce, QuestionIsWiderThanAgreement
from sanpo.ground.actors import Anonymous, System
from sanpo.ground.canonical import sha256_hex
from sanpo.ground.clock import FixedClock
from sanpo.ground.errors import NotFound, NotPermitted, NotSignedIn
from sanpo.ground.ids import IdIsMalformed, new_id
from sanpo.journal import JournalUnavailable
from sanpo.returns import list_totals
from tests.cleanroom.cities import BY_AREA, BY_DWELLING, TOTAL, Walk


def test_answer_counts_granted_residents_only(walk: Walk) -> None:
    walk.give(*range(30))
    answer = walk.ask()
    assert [(row.values, row.subjects) for row in answer.rows] == [
        (("中央", 15 * 8, 8 * sum(100 + place for place in range(0, 30, 2))), 15),
        (("港", 15 * 8, 8 * sum(100 + place for place in range(1, 30, 2))), 15),
    ]
    assert answer.subjects == 30


def test_answer_is_refused_below_the_minimum_and_given_at_it(walk: Walk) -> None:
    walk.give(*range(9))
    with pytest.raises(TooFewSubjects) as refused:
        walk.ask(TOTAL)
    assert refused.value.fields == {"minimum": 10}
    walk.give(9)
    assert walk.ask(TOTAL).subjects == 10


def test_refusal_is_the_same_for_few_and_for_none(walk: Walk) -> None:
    walk.give(*range(12))
    messages = []
    for condition in ("area = '中央'", "area = 'nowhere'", "start_at < '1999-01-01'"):
        with pytest.raises(TooFewSubjects) as refused:
            walk.ask(f"{TOTAL} where {condition}")
        messages.append(str(refused.value))
    assert len(set(messages)) == 1


def test_small_cell_hides_the_only_other_one_too(walk: Walk) -> None:
    """Of two areas the large one and the total, which can be asked for, would tell the small one: nothing leaves."""
    walk.give(*range(0, 30, 2), 1, 3)
    with pytest.raises(DisclosureIsNotSafe) as refused:
        walk.ask()
    assert refused.value.fields == {"minimum": 10}
    assert walk.seen_by(0) == walk.seen_by(1) == []
    assert [entry.body["code"] for entry in walk.entries("refusal")] == ["cleanroom.disclosure_is_not_safe"]


def test_small_cell_is_suppressed_with_another_and_their_people_are_not_in_the_use(walk: Walk) -> None:
    walk.give(*range(34))
    answer = walk.ask(BY_DWELLING)
    assert [(row.values[0], row.subjects, bool(row.suppressed)) for row in answer.rows] == [
        ("apartment", None, True),
        ("detached", 20, False),
        ("terraced", None, True),
    ]
    assert (answer.subjects, answer.suppressed_cells) == (20, 2)
    assert walk.seen_by(0) == [answer.entry_id]
    assert walk.seen_by(21) == walk.seen_by(33) == []


def test_limit_keeps_people_of_rows_that_did_not_leave_out_of_the_use(walk: Walk) -> None:
    walk.give(*range(30))
    answer = walk.ask(BY_AREA + " order by sum_energy_wh desc limit 1")
    assert [row.values[0] for row in answer.rows] == ["港"]
    assert (walk.seen_by(1), walk.seen_by(0)) == ([answer.entry_id], [])


def test_use_is_in_the_journal_with_what_was_asked_and_no_resident_in_public(walk: Walk) -> None:
    walk.give(*range(20))
    answer = walk.ask()
    (entry,) = walk.entries("use")
    body = entry.body
    assert entry.entry_id == answer.entry_id
    assert body["question"] == answer.question == BY_AREA
    assert body["question_sha256"] == sha256_hex(BY_AREA.encode())
    assert body["agreement_sha256"] == walk.agreement.sha256
    assert (body["subjects"], body["cells_released"], body["cells_suppressed"]) == (20, 2, 0)
    assert body["snapshots"] == answer.snapshots
    assert not {"subject_no", "bits", "people"} & body.keys()


def test_returns_accrue_to_three_sides_with_the_use(walk: Walk) -> None:
    walk.give(*range(20))
    answer = walk.ask()
    assert [(each.side, each.quantity, each.share) for each in answer.returns] == [
        ("giver", 40, 2),
        ("city", 1, None),
        ("organisation", 2, None),
    ]
    assert [side["uses"] for side in list_totals(walk.city, Anonymous(), walk.agreement.agreement_no)] == [1, 1, 1]


def test_no_answer_leaves_when_the_journal_cannot_append(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.give(*range(20))

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise JournalUnavailable(problem="disk")

    monkeypatch.setattr(recording, "append", broken)
    with pytest.raises(JournalUnavailable):
        walk.ask()
    assert walk.entries("use") == []
    assert list_totals(walk.city, Anonymous(), walk.agreement.agreement_no) == []


def test_no_use_is_recorded_when_the_returns_cannot_be_booked(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.give(*range(20))

    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("no room")

    monkeypatch.setattr(recording, "accrue", broken)
    with pytest.raises(RuntimeError):
        walk.ask()
    assert walk.entries("use") == []


def test_withdrawn_resident_is_not_in_the_next_answer(walk: Walk) -> None:
    walk.give(*range(30))
    walk.withdraw(4)
    answer = walk.ask()
    assert answer.subjects == 29
    assert answer.rows[0].values == ("中央", 14 * 8, 8 * sum(100 + n for n in range(0, 30, 2) if n != 4))
    assert walk.seen_by(4) == []


def test_question_starts_again_when_somebody_withdraws_while_it_runs(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk.give(*range(30))
    run, leaving = duckdb_engine.run, [6]

    def run_while_one_leaves(*args: Any) -> Any:
        cells = run(*args)
        if leaving:
            walk.withdraw(leaving.pop())
        return cells

    monkeypatch.setattr(duckdb_engine, "run", run_while_one_leaves)
    answer = walk.ask()
    assert answer.subjects == 29
    assert walk.seen_by(6) == []
    assert len(walk.entries("use")) == 1


def test_question_is_given_up_when_somebody_withdraws_every_time(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.give(*range(30))
    run, leaving = duckdb_engine.run, list(range(10))

    def run_while_one_leaves(*args: Any) -> Any:
        cells = run(*args)
        walk.withdraw(leaving.pop())
        return cells

    monkeypatch.setattr(duckdb_engine, "run", run_while_one_leaves)
    with pytest.raises(ConsentMovedDuringQuestion) as refused:
        walk.ask()
    assert refused.value.fields == {"attempts": 3}
    assert walk.entries("use") == []


def test_forged_admission_releases_nothing(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.give(*range(20))

    def everybody(*args: Any, **kwargs: Any) -> Any:
        return replace(admit(*args, **kwargs), bits=b"\xff" * 256)

    monkeypatch.setattr(actions, "admit", everybody)
    with pytest.raises(AdmissionIsForged):
        walk.ask()
    assert walk.entries("use") == []


@pytest.mark.parametrize(
    ("sql", "outside"),
    [
        ("select occupants, count(*) from energy.readings group by occupants", "occupants"),
        ("select count(*) from energy.readings where heating_type = 'gas'", "heating_type"),
        ("select avg(occupants) from energy.homes", "occupants"),
    ],
)
def test_widened_question_is_refused_with_the_columns_that_are_covered(walk: Walk, sql: str, outside: str) -> None:
    walk.give(*range(20))
    with pytest.raises(QuestionIsWiderThanAgreement) as refused:
        walk.ask(sql)
    assert refused.value.fields["outside"] == outside
    assert "energy.homes: area, dwelling_type" in refused.value.fields["covered"]


def test_question_outside_the_analysis_rule_is_refused_before_any_row_is_read(
    walk: Walk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(duckdb_engine, "run", lambda *args: pytest.fail("the engine ran"))
    with pytest.raises(DimensionIsNotInRule):
        walk.ask("select energy_wh, count(*) from energy.readings group by energy_wh")


def test_question_under_another_organisations_agreement_looks_like_none_at_all(walk: Walk) -> None:
    walk.give(*range(20))
    stranger = walk.world.client(walk.world.company)
    refusals = []
    for agreement_id in (walk.agreement.agreement_id, new_id("agr")):
        with pytest.raises(NotFound) as refused:
            ask(walk.city, stranger, agreement_id, BY_AREA)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]


def test_question_is_refused_when_the_token_names_another_agreement(walk: Walk) -> None:
    other = walk.world.agreement(walk.organisation, title={"ja": "別の研究", "en": "Another study"})
    with pytest.raises(NotPermitted):
        ask(walk.city, walk.asker, other.agreement_id, BY_AREA)


def test_question_needs_an_agreement_that_is_named(walk: Walk) -> None:
    with pytest.raises(AgreementIsNotNamed):
        ask(walk.city, walk.world.client(walk.organisation), None, BY_AREA)
    with pytest.raises(IdIsMalformed):
        ask(walk.city, walk.asker, "agr_guess", BY_AREA)


def test_question_is_not_for_strangers_or_residents(walk: Walk) -> None:
    with pytest.raises(NotSignedIn):
        ask(walk.city, Anonymous(), walk.agreement.agreement_id, BY_AREA)
    with pytest.raises(NotFound):
        ask(walk.city, walk.people[0], walk.agreement.agreement_id, BY_AREA)


def test_question_is_refused_when_the_agreement_is_over(walk: Walk) -> None:
    walk.give(*range(20))
    later = replace(walk.city, clock=FixedClock(walk.city.now() + timedelta(days=400)))
    with pytest.raises(AgreementIsNotInForce):
        ask(later, walk.asker, None, BY_AREA)


def test_analyst_and_operator_may_ask_under_the_agreement(walk: Walk) -> None:
    walk.give(*range(20))
    analyst = walk.world.staff(walk.organisation, "analyst")
    for actor in (analyst, System("operator")):
        assert ask(walk.city, actor, walk.agreement.agreement_id, parse_sql(BY_AREA)).subjects == 20


def test_minimum_is_the_citys_where_the_rule_asks_for_less(walk: Walk) -> None:
    walk.give(*range(20))
    stricter = replace(walk.city, settings=replace(walk.city.settings, minimum_subjects=21))
    with pytest.raises(TooFewSubjects) as refused:
        ask(stricter, walk.asker, None, TOTAL)
    assert refused.value.fields == {"minimum": 21}


def test_refused_answer_is_noted_in_the_journal_without_anybody(walk: Walk) -> None:
    walk.give(*range(3))
    with pytest.raises(TooFewSubjects):
        walk.ask(TOTAL)
    (entry,) = walk.entries("refusal")
    assert entry.body["question"] == TOTAL
    assert entry.body["code"] == "cleanroom.too_few_subjects"
    assert entry.organisation_no == walk.agreement.organisation_no
    assert walk.entries("use") == []
    assert walk.seen_by(0) == []


def test_refusal_of_the_citys_own_question_is_not_noted(walk: Walk) -> None:
    with pytest.raises(TooFewSubjects):
        ask(walk.city, System("operator"), walk.agreement.agreement_id, TOTAL)
    assert walk.entries("refusal") == []


def test_nothing_is_recorded_when_the_engine_is_unavailable(walk: Walk, monkeypatch: pytest.MonkeyPatch) -> None:
    walk.give(*range(20))

    def broken(*args: Any) -> Any:
        raise EngineIsUnavailable(dataset="energy.readings", problem="IOException")

    monkeypatch.setattr(duckdb_engine, "run", broken)
    with pytest.raises(EngineIsUnavailable):
        walk.ask()
    assert walk.entries("use") == walk.entries("refusal") == []


def test_time_filter_reads_local_time(walk: Walk) -> None:
    walk.give(*range(20))
    answer = walk.ask(
        "select date(start_at), hour(start_at), count(*) from energy.readings"
        " where start_at >= '2026-03-03 01:00' group by all"
    )
    assert [row.values for row in answer.rows] == [(answer.rows[0].values[0], 1, 20 * 4)]
    assert str(answer.rows[0].values[0]) == "2026-03-03"


def test_answer_says_how_long_each_stage_took(walk: Walk) -> None:
    walk.give(*range(20))
    timings = walk.ask().timings_ms
    assert list(timings) == ["parse", "gate", "plan", "engine", "guard", "disclosure", "confirm", "record", "total"]
    assert timings["total"] >= timings["engine"] > 0
