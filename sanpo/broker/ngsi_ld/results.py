"""What a distributed write answers: all that could not be done, and at which source (§5.2.16 to §5.2.19, §6.3.2).

Where the write had one part alone, its error is the answer. Where it had several, the answer is 207 with an error for each
part that failed; an entity or attribute is named as done only where every part of it is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sanpo.broker.model import NGSI_LD
from sanpo.broker.ngsi_ld.calls import Reply
from sanpo.broker.ngsi_ld.forwarding import Outcome
from sanpo.broker.ngsi_ld.linking import Linked, parse
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError

_KINDS = {404: "ResourceNotFound", 409: "AlreadyExists"}


def problem_of(outcome: Outcome) -> dict[str, Any]:
    """A source's failure as ProblemDetails."""
    answer = outcome.answer
    if answer is None:
        title = "The context source did not answer."
        return {"type": f"{NGSI_LD}errors/InternalError", "title": title, "status": 504, "detail": outcome.failure}
    given = told_by(outcome)
    found = given if isinstance(given, dict) else {}
    return {
        "type": str(found.get("type", f"{NGSI_LD}errors/{_KINDS.get(answer.status, 'InternalError')}")),
        "title": str(found.get("title", "The context source refused.")),
        "status": answer.status,
        "detail": str(found.get("detail", outcome.registration.endpoint))[:500],
    }


def told_by(outcome: Outcome) -> Any:
    """What the source has answered, None where that is no JSON."""
    if outcome.answer is None or not outcome.answer.body:
        return None
    try:
        return parse(outcome.answer.body)
    except DomainError:
        return None


def errors_of(outcome: Outcome, ids: Sequence[str]) -> list[dict[str, Any]]:
    """BatchEntityErrors (§5.2.17): what a source could not do of what it was asked for these entities."""
    if outcome.is_whole:
        return []
    registration_id = outcome.registration.registration_id
    told = _listed(told_by(outcome), "errors") if outcome.is_good else []
    found = [
        {"entityId": str(each.get("entityId", ids[0])), "registrationId": registration_id, "error": each["error"]}
        for each in told
        if isinstance(each.get("error"), dict)
    ]
    problem = problem_of(outcome)
    return found or [{"entityId": each, "registrationId": registration_id, "error": problem} for each in ids]


def of_entities(success: Sequence[str], errors: Sequence[Mapping[str, Any]]) -> Reply:
    """A BatchOperationResult (§5.2.16)."""
    return Reply(207, encode({"success": success, "errors": errors}), JSON)


def joined(
    done: Reply, local: Reply | None, outcomes: Sequence[Outcome], entity_id: str, update: "Update | None" = None
) -> Reply:
    """The answer to a write to one entity: `done` where nothing was left undone."""
    mine = local is None or (local.status < 300 and local.status != 207)
    if mine and all(each.is_whole for each in outcomes):
        return done if local is None else local
    if not outcomes and local is not None:
        return local
    if local is None and len(outcomes) == 1 and not outcomes[0].is_good:
        problem = problem_of(outcomes[0])
        return Reply(problem["status"], encode(problem), JSON)
    if update is not None:
        return update.result(local, outcomes)
    errors = [] if mine or local is None else [{"entityId": entity_id, "error": parse(local.body)}]
    for outcome in outcomes:
        errors.extend(errors_of(outcome, [entity_id]))
    return of_entities([], errors)


class Update:
    """A write to attributes: which of them went where, by their IRIs."""

    def __init__(self, linked: Linked, names: Sequence[str], kept: Sequence[str]) -> None:
        self.linked, self.names, self.kept = linked, names, kept

    def result(self, local: Reply | None, outcomes: Sequence[Outcome]) -> Reply:
        """An UpdateResult (§5.2.18)."""
        refused = self._refused_here(local)
        for outcome in outcomes:
            refused.extend(self._refused_there(outcome))
        failed = {each["attributeName"] for each in refused}
        updated = [name for name in self.names if name not in failed]
        return Reply(207, encode({"updated": updated, "notUpdated": refused}), JSON)

    def _refused_here(self, local: Reply | None) -> list[dict[str, Any]]:
        if local is None or local.status == 204:
            return []
        told = parse(local.body)
        if local.status == 207:
            return list(told["notUpdated"])
        return [{"attributeName": name, "reason": told.get("detail", told["title"])} for name in self.kept]

    def _refused_there(self, outcome: Outcome) -> list[dict[str, Any]]:
        if outcome.is_whole:
            return []
        told = _listed(told_by(outcome), "notUpdated") if outcome.is_good else []
        held = outcome.request.match.attributes
        expand = self.linked.context.expand
        found = {expand(str(each.get("attributeName", ""))): str(each.get("reason", "")) for each in told}
        if not found:
            problem = problem_of(outcome)
            reason = f"{problem['status']} {problem['title']}"
            found = {name: reason for name in self.names if held is None or name in held}
        registration_id = outcome.registration.registration_id
        return [
            {"attributeName": name, "reason": reason, "registrationId": registration_id}
            for name, reason in found.items()
        ]


def _listed(told: Any, name: str) -> list[dict[str, Any]]:
    found = told.get(name) if isinstance(told, dict) else None
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
