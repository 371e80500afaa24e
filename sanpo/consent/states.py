"""The states of a grant and every move between them. Pure; the table below is the rule and the documentation.

States are those of the W3C DPV (consent status); ISO/IEC TS 27560 §6.3.4 asks a record to carry one.
"""

from enum import Enum

from sanpo.ground.errors import DomainError, Kind


class State(Enum):
    REQUESTED = "requested"
    DEFERRED = "deferred"
    REFUSED = "refused"
    GIVEN = "given"
    RENEWED = "renewed"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    EXPIRED = "expired"
    INVALIDATED = "invalidated"

    @property
    def counts(self) -> bool:
        """True where data may be used."""
        return self in (State.GIVEN, State.RENEWED)

    @property
    def dpv(self) -> str:
        """The term of DPV 2.3 for this state."""
        return _DPV[self]


_DPV = {
    State.REQUESTED: "ConsentRequested",
    State.DEFERRED: "ConsentRequestDeferred",
    State.REFUSED: "ConsentRefused",
    State.GIVEN: "ConsentGiven",
    State.RENEWED: "RenewedConsentGiven",
    State.WITHDRAWN: "ConsentWithdrawn",
    State.REVOKED: "ConsentRevoked",
    State.EXPIRED: "ConsentExpired",
    State.INVALIDATED: "ConsentInvalidated",
}


class Decision(Enum):
    """What somebody does. The resident (or a representative) gives, defers, refuses, withdraws; others end it."""

    GIVE = "give"
    RENEW = "renew"
    DEFER = "defer"
    REFUSE = "refuse"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    EXPIRE = "expire"
    INVALIDATE = "invalidate"


BY_RESIDENT = frozenset({Decision.GIVE, Decision.RENEW, Decision.DEFER, Decision.REFUSE, Decision.WITHDRAW})
_OPEN = (State.REQUESTED, State.DEFERRED, State.REFUSED)
_ENDED = (State.WITHDRAWN, State.REVOKED, State.EXPIRED, State.INVALIDATED)
_VALID = (State.GIVEN, State.RENEWED)

MOVES: dict[tuple[State, Decision], State] = {
    **{(state, Decision.GIVE): State.GIVEN for state in (*_OPEN, *_ENDED)},
    **{(state, Decision.RENEW): State.RENEWED for state in _VALID},
    **{(state, Decision.DEFER): State.DEFERRED for state in _OPEN},
    **{(state, Decision.REFUSE): State.REFUSED for state in _OPEN},
    **{(state, Decision.WITHDRAW): State.WITHDRAWN for state in _VALID},
    **{(state, Decision.REVOKE): State.REVOKED for state in _VALID},
    **{(state, Decision.EXPIRE): State.EXPIRED for state in _VALID},
    **{(state, Decision.INVALIDATE): State.INVALIDATED for state in _VALID},
}


class DecisionDoesNotApply(DomainError):
    """This decision cannot be taken from the present state. Fields: state, decision."""

    code = "consent.decision_does_not_apply"
    kind = Kind.CONFLICT


def next_state(state: State, decision: Decision) -> State:
    """The state after `decision`; raises `DecisionDoesNotApply` where the table has no move."""
    try:
        return MOVES[state, decision]
    except KeyError:
        raise DecisionDoesNotApply(state=state.value, decision=decision.value) from None
