"""Telling recipients: when a grant ends, its recipient gets a signed notice and the resident sees whether it answered.

Form: Standard Webhooks (`sanpo/ground/webhooks.py`). A 2xx means delivered; the JSON answer `{"acknowledged": true}`, or a
later call to the API, means that the recipient has acted on it.
"""

import json
from typing import Any

from sanpo.consent.model import PublishedAgreement
from sanpo.consent.states import State
from sanpo.consent.store import SQL
from sanpo.ground.actors import Actor, Client, Staff, System, require
from sanpo.ground.canonical import canonical_json
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import DomainError, Kind, NotFound, NotPermitted
from sanpo.ground.ids import check_id, new_id
from sanpo.ground.outbound import CallFailed
from sanpo.ground.outbox import publish
from sanpo.ground.webhooks import deliver
from sanpo.people import find_webhook, pseudonym

TASK = "consent.tell_recipient"


class RecipientDidNotAnswer(DomainError):
    """The recipient's webhook failed; the job is tried again. Field: problem."""

    code = "consent.recipient_did_not_answer"
    kind = Kind.UNAVAILABLE


def queue_notice(tx: Transaction, agreement: PublishedAgreement, subject_no: int, event_id: str, state: State) -> None:
    """Queues the notice in the transaction that ends the grant. Notices of one recipient keep their order."""
    notice_id = new_id("ntc")
    tx.execute(
        SQL.insert_notice,
        notice_id=notice_id,
        subject_no=subject_no,
        agreement_no=agreement.agreement_no,
        organisation_no=agreement.organisation_no,
        event_id=event_id,
        state=state.value,
        at=tx.now,
    )
    publish(tx, TASK, {"notice_id": notice_id})


def tell_recipient(city: City, payload: dict[str, Any]) -> None:
    """Sends one notice. Raises `RecipientDidNotAnswer` so that the queue tries again with growing pauses."""
    with city.transaction(System("jobs")) as tx:
        row = tx.one(SQL.notice, notice_id=payload["notice_id"])
        if row is None or row.delivered_at is not None:
            return
        url = find_webhook(tx, row.organisation_no)
    if url is None:
        return  # the organisation reads its notices through the API
    body = canonical_json(notice_body(city, row))
    problem, acknowledged = _send(city, url, row.notice_id, body)
    with city.transaction(System("jobs")) as tx:
        tx.execute(
            SQL.note_attempt,
            notice_id=row.notice_id,
            at=tx.now,
            error=problem,
            delivered_at=None if problem else tx.now,
            acknowledged_at=tx.now if acknowledged else None,
        )
    if problem:
        raise RecipientDidNotAnswer(problem=problem)


def notice_body(city: City, row: Any) -> dict[str, Any]:
    """What the recipient reads: which agreement, which of its pseudonyms, what happened."""
    return {
        "type": "consent.ended",
        "notice_id": row.notice_id,
        "agreement_id": row.agreement_id,
        "subject": pseudonym(city, row.organisation_no, row.subject_no),
        "state": row.state,
        "at": row.queued_at.isoformat(),
    }


def list_notices(
    city: City, actor: Actor, *, before: str | None = None, open_only: bool = False, limit: int = 100
) -> list[dict[str, Any]]:
    """The notices to the actor's own organisation, newest first."""
    who = _recipient(actor)
    with city.transaction(who) as tx:
        rows = tx.all(SQL.notices, organisation_no=who.organisation_no, before=before, open_only=open_only, limit=limit)
    return [{**notice_body(city, row), "acknowledged": row.acknowledged_at is not None} for row in rows]


def acknowledge_notice(city: City, actor: Actor, notice_id: str) -> None:
    """The recipient says that it has acted. Another organisation's notice looks like none. Repeating changes nothing."""
    who = _recipient(actor)
    check_id("ntc", notice_id)
    with city.transaction(who) as tx:
        done = tx.one(SQL.acknowledge, notice_id=notice_id, organisation_no=who.organisation_no, at=tx.now)
    if done is None:
        raise NotFound(what="notice")


def _recipient(actor: Actor) -> Client | Staff:
    if isinstance(actor, Client | Staff):
        return actor
    require(actor, Client)
    raise NotPermitted(needed="client")


def _send(city: City, url: str, notice_id: str, body: bytes) -> tuple[str | None, bool]:
    """Returns (problem or None, acknowledged)."""
    try:
        reply = deliver(city, url, notice_id, body)
    except CallFailed as failure:
        return str(failure), False
    try:
        answer = json.loads(reply.body or b"{}")
    except ValueError:
        answer = {}
    return None, isinstance(answer, dict) and answer.get("acknowledged") is True
