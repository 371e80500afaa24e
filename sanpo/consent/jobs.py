"""Duties of consent: record expiries, tell recipients, record the end of a closed agreement's grants."""

from typing import Any

from sanpo.consent.actions import END_GRANTS, end_grants, expire_grants
from sanpo.consent.notices import TASK, tell_recipient
from sanpo.consent.states import State
from sanpo.ground.city import City
from sanpo.ground.jobs import Registry


def jobs(registry: Registry) -> None:
    registry.every(5.0, "consent.expire", expire_grants)
    registry.task(TASK, tell_recipient, attempts=8, wait_s=2)
    registry.task(END_GRANTS, _end_grants, attempts=20, wait_s=2)


def _end_grants(city: City, payload: dict[str, Any]) -> None:
    end_grants(city, payload["agreement_id"], State(payload["after"]))
