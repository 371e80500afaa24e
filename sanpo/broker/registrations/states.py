"""How a source has done lately: the members that the broker alone writes (§5.2.9, table 5.2.9-2)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.broker.model import written
from sanpo.broker.registrations.model import Registration
from sanpo.broker.representation.writing import short_time


@dataclass(frozen=True)
class SourceState:
    """One registration as the operator sees it."""

    registration_id: str
    endpoint: str
    mode: str
    status: str
    times_sent: int
    times_failed: int
    last_success: str | None
    last_failure: str | None
    last_error: str | None


def state_of(row: Any, doc: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Status, and once the source was asked the counters. A registration that is over has failed.

    As it was at one moment (§5.11.7) it has no counters.
    """
    is_over = "expiresAt" in doc and datetime.fromisoformat(doc["expiresAt"]) <= now
    found: dict[str, Any] = {"status": "failed" if is_over or getattr(row, "has_failed", False) else "ok"}
    if getattr(row, "times_sent", None) is None:
        return found
    found |= {"timesSent": row.times_sent, "timesFailed": row.times_failed}
    for name, at in (("lastSuccess", row.last_success), ("lastFailure", row.last_failure)):
        if at is not None:
            found[name] = short_time(written(at))
    return found


def state_in(row: Any, registration: Registration, now: datetime) -> SourceState:
    found = state_of(row, registration.doc, now)
    return SourceState(
        registration.registration_id,
        registration.endpoint,
        registration.mode,
        found["status"],
        found.get("timesSent", 0),
        found.get("timesFailed", 0),
        found.get("lastSuccess"),
        found.get("lastFailure"),
        row.last_error,
    )
