"""The states of a grant, as a table that an auditor can read: from each state (row) by each decision (column)."""

import pytest

from sanpo.consent.states import Decision, DecisionDoesNotApply, State, next_state

TABLE = """
state        give   renew    defer     refuse   withdraw   revoke   expire   invalidate
requested    given  -        deferred  refused  -          -        -        -
deferred     given  -        deferred  refused  -          -        -        -
refused      given  -        deferred  refused  -          -        -        -
given        -      renewed  -         -        withdrawn  revoked  expired  invalidated
renewed      -      renewed  -         -        withdrawn  revoked  expired  invalidated
withdrawn    given  -        -         -        -          -        -        -
revoked      given  -        -         -        -          -        -        -
expired      given  -        -         -        -          -        -        -
invalidated  given  -        -         -        -          -        -        -
"""
HEAD, *ROWS = [line.split() for line in TABLE.strip().splitlines()]
CASES = [(row[0], decision, after) for row in ROWS for decision, after in zip(HEAD[1:], row[1:], strict=True)]


@pytest.mark.parametrize(("state", "decision", "after"), CASES)
def test_move(state: str, decision: str, after: str) -> None:
    if after == "-":
        with pytest.raises(DecisionDoesNotApply):
            next_state(State(state), Decision(decision))
    else:
        assert next_state(State(state), Decision(decision)) is State(after)


def test_table_covers_every_state_and_decision() -> None:
    assert {row[0] for row in ROWS} == {state.value for state in State}
    assert set(HEAD[1:]) == {decision.value for decision in Decision}


def test_states_are_terms_of_the_vocabulary(shared: object) -> None:
    from pathlib import Path

    text = (Path(str(shared)) / "specs" / "dpv-2.3.csv").read_text(encoding="utf-8")
    from sanpo.consent.vocabulary import PURPOSES

    for term in [state.dpv for state in State] + sorted(PURPOSES):
        assert f'"{term}","class"' in text, term
