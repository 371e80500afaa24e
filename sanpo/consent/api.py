"""The consent API: agreements for organisations, decisions for residents, notices for recipients."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, get, post
from litestar.params import Parameter, QueryParameter

from sanpo.consent import actions, notices, publication
from sanpo.consent.model import Draft, PublishedAgreement, document_bytes, read_draft
from sanpo.consent.states import BY_RESIDENT, Decision
from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.errors import NotFound
from sanpo.ground.problems import language_of, problem_responses

PATH = "/api/consent"
State = Literal["proposed", "approved", "rejected", "closed"]


@dataclass(frozen=True)
class AgreementView:
    """An agreement with its state. `document` is what `sha256` (of its canonical JSON) names."""

    agreement_id: str
    sha256: str
    state: State
    published_at: datetime
    decision_note: str
    granted: int
    document: dict[str, Any]


@dataclass(frozen=True)
class DecisionBody:
    """What a resident decides. `sha256` is the text that was read; a different one is refused."""

    decision: Literal["give", "renew", "defer", "refuse", "withdraw"]
    sha256: str | None = None


@dataclass(frozen=True)
class OutcomeView:
    done: Literal["recorded", "unchanged"]
    state: str
    event_id: str | None
    entry_id: str | None
    expires_at: datetime | None


@dataclass(frozen=True)
class VerdictBody:
    note: str = ""


@get(f"{PATH}/agreements", sync_to_thread=True, responses=problem_responses(401, 403))
def get_agreements(
    city: City, actor: Actor, in_state: Annotated[State | None, QueryParameter(name="state")] = None
) -> list[AgreementView]:
    """All agreements that the caller may read, newest first; approved and closed ones are public."""
    return [_view(city, agreement) for agreement in publication.list_agreements(city, actor, state=in_state)]


@get(f"{PATH}/agreements/{{agreement_id:str}}", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def get_one_agreement(city: City, actor: Actor, agreement_id: str) -> AgreementView:
    """One agreement."""
    found = publication.find_agreement(city, actor, agreement_id)
    if found is None:
        raise NotFound(what="agreement")
    return _view(city, found)


@post(f"{PATH}/agreements", sync_to_thread=True, responses=problem_responses(401, 403, 404, 409))
def post_agreement(city: City, actor: Actor, data: dict[str, Any]) -> AgreementView:
    """Publishes an agreement of the caller's organisation. Residents see it after an officer's approval."""
    return _view(city, publication.publish_agreement(city, actor, read_draft(msgspec.json.encode(data))))


@post(
    f"{PATH}/agreements/{{agreement_id:str}}/{{verdict:str}}",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403, 404, 409),
)
def post_verdict(
    city: City,
    actor: Actor,
    agreement_id: str,
    verdict: str = Parameter(description="approve, reject or close"),
    data: VerdictBody | None = None,
) -> AgreementView:
    """An officer's decision."""
    note = data.note if data else ""
    if verdict == "approve":
        return _view(city, publication.approve_agreement(city, actor, agreement_id, note=note))
    if verdict == "reject":
        return _view(city, publication.reject_agreement(city, actor, agreement_id, note=note))
    if verdict == "close":
        return _view(city, publication.close_agreement(city, actor, agreement_id, note=note))
    raise NotFound(what="verdict")


@post(
    f"{PATH}/grants/{{agreement_id:str}}",
    sync_to_thread=True,
    status_code=200,
    responses=problem_responses(401, 403, 404, 409, 410),
)
def post_decision(
    request: Request[Any, Any, Any], city: City, actor: Actor, agreement_id: str, data: DecisionBody
) -> OutcomeView:
    """The signed-in resident decides on an agreement: give, renew, defer, refuse or withdraw."""
    decision = Decision(data.decision)
    assert decision in BY_RESIDENT  # noqa: S101  # the body's type allows no other
    outcome = actions.decide(city, actor, agreement_id, decision, sha256=data.sha256, language=language_of(request))
    return OutcomeView(outcome.done.value, outcome.state.value, outcome.event_id, outcome.entry_id, outcome.expires_at)


@get(f"{PATH}/receipts/{{event_id:str}}", sync_to_thread=True, responses=problem_responses(401, 403, 404))
def get_receipt(city: City, actor: Actor, event_id: str, form: Literal["dpv", "kantara"] = "dpv") -> dict[str, Any]:
    """The resident's signed receipt: ISO/IEC TS 27560 as DPV JSON-LD, or Kantara Consent Receipt 1.1."""
    return actions.get_record(city, actor, event_id, form)


@get(f"{PATH}/notices", sync_to_thread=True, responses=problem_responses(401, 403))
def get_notices(city: City, actor: Actor, before: str | None = None, open_only: bool = False) -> list[dict[str, Any]]:
    """What the caller's organisation was told about ended grants, newest first."""
    return notices.list_notices(city, actor, before=before, open_only=open_only)


@post(
    f"{PATH}/notices/{{notice_id:str}}/acknowledgement",
    sync_to_thread=True,
    status_code=204,
    responses=problem_responses(401, 403, 404),
)
def post_acknowledgement(city: City, actor: Actor, notice_id: str) -> None:
    """The recipient confirms that it has acted on a notice; the resident sees it."""
    notices.acknowledge_notice(city, actor, notice_id)


def _view(city: City, agreement: PublishedAgreement) -> AgreementView:
    return AgreementView(
        agreement.agreement_id,
        agreement.sha256,
        agreement.state,
        agreement.published_at,
        agreement.decision_note,
        publication.count_granted(city, agreement.agreement_no),
        msgspec.json.decode(document_bytes(agreement.document)),
    )


__all__ = ["Draft", "handlers"]
handlers: list[Any] = [
    get_agreements,
    get_one_agreement,
    post_agreement,
    post_verdict,
    post_decision,
    get_receipt,
    get_notices,
    post_acknowledgement,
]
