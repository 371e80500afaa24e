"""What may still be asked under an agreement: answered questions, and epsilon, in any period of so many days.

An answer is charged in the transaction that releases it, so that a refused question costs nothing. Charges of one
agreement wait for each other from the charge to the end of the transaction; scans, which come before, do not.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from sanpo.cleanroom.errors import EpsilonIsOutOfRange, PrivacyBudgetIsSpent, PrivacyIsNotInRule, QueryBudgetIsSpent
from sanpo.cleanroom.store import SQL
from sanpo.consent import PublishedAgreement, find_agreement
from sanpo.ground.actors import Actor, Anonymous, Client, Staff, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.errors import NotFound, NotSignedIn

Unit = Literal["questions", "epsilon_milli"]
UNITS: tuple[Unit, ...] = ("questions", "epsilon_milli")


@dataclass(frozen=True)
class Allowance:
    """At most `limit` in any `days` days; `spent` and `left` are as of now.

    `next_at` is when the oldest charge stops counting; None while nothing is spent.
    """

    limit: int
    days: int
    spent: int
    left: int
    next_at: datetime | None


@dataclass(frozen=True)
class BudgetLeft:
    """What is left under an agreement. None where it sets no such budget. Epsilon is in thousandths."""

    questions: Allowance | None
    epsilon_milli: Allowance | None


@dataclass(frozen=True)
class _Limit:
    unit: Unit
    most: int
    days: int


def check_budget(tx: Transaction, agreement: PublishedAgreement, *, epsilon_milli: int = 0) -> None:
    """Refuses, before the scan, what could not be charged after it. Takes no lock, so `charge` looks again.

    Raises `QueryBudgetIsSpent`, `PrivacyBudgetIsSpent`, `EpsilonIsOutOfRange`, `PrivacyIsNotInRule`.
    """
    _check(tx, agreement, epsilon_milli, tx.city.now())


def charge(tx: Transaction, agreement: PublishedAgreement, *, entry_no: int, epsilon_milli: int = 0) -> BudgetLeft:
    """Charges one answer, the use `entry_no`, in the transaction that releases it; what is left then.

    To be called late, after the scan and the admission's confirmation. Raises as `check_budget`.
    """
    if not _limits(agreement) and not epsilon_milli:
        return BudgetLeft(None, None)
    tx.execute(SQL.lock_budget, agreement_no=agreement.agreement_no)
    now = tx.city.now()
    _check(tx, agreement, epsilon_milli, now)
    tx.execute(
        SQL.insert_charge,
        entry_no=entry_no,
        organisation_no=agreement.organisation_no,
        agreement_no=agreement.agreement_no,
        at=now,
        questions=1,
        epsilon_milli=epsilon_milli,
    )
    return _left(tx, agreement, now)


def get_budget(city: City, actor: Actor, agreement_id: str) -> BudgetLeft:
    """What is left under an agreement: for its organisation, and for the city. Raises `NotFound`, `NotSignedIn`."""
    if isinstance(actor, Anonymous):
        raise NotSignedIn
    agreement = find_agreement(city, actor, agreement_id)
    if agreement is None or not _may_see(actor, agreement):
        raise NotFound(what="agreement")
    with city.transaction(actor) as tx:
        return _left(tx, agreement, city.now())


def _may_see(actor: Actor, agreement: PublishedAgreement) -> bool:
    if isinstance(actor, Client | Staff) and actor.organisation_no == agreement.organisation_no:
        return True
    return (isinstance(actor, Staff) and actor.role == "officer") or actor == System("operator")


def _limits(agreement: PublishedAgreement) -> dict[Unit, _Limit]:
    rule = agreement.rule
    found: dict[Unit, _Limit] = {}
    if rule.budget is not msgspec.UNSET:
        found["questions"] = _Limit("questions", rule.budget.questions, rule.budget.days)
    if rule.privacy is not msgspec.UNSET:
        found["epsilon_milli"] = _Limit("epsilon_milli", rule.privacy.epsilon_milli, rule.privacy.days)
    return found


def _check(tx: Transaction, agreement: PublishedAgreement, epsilon_milli: int, now: datetime) -> None:
    limits = _limits(agreement)
    if epsilon_milli and "epsilon_milli" not in limits:
        raise PrivacyIsNotInRule
    asked: dict[Unit, int] = {"questions": 1, "epsilon_milli": epsilon_milli}
    for unit, limit in limits.items():
        if asked[unit]:
            _check_unit(tx, agreement, limit, asked[unit], now)


def _check_unit(tx: Transaction, agreement: PublishedAgreement, limit: _Limit, asked: int, now: datetime) -> None:
    if not 0 < asked <= limit.most:
        raise EpsilonIsOutOfRange(asked=asked, lowest=1, highest=limit.most)
    spent = _allowance(tx, agreement, limit, now).spent
    if spent + asked <= limit.most:
        return
    row = tx.get(
        SQL.charge_that_frees,
        agreement_no=agreement.agreement_no,
        unit=limit.unit,
        since=now - timedelta(days=limit.days),
        wanted=spent + asked - limit.most,
    )
    next_at = row.charged_at + timedelta(days=limit.days)
    fields = {
        "limit": limit.most,
        "days": limit.days,
        "spent": spent,
        "next_at": _whole_second(next_at).astimezone(tx.city.settings.zone).isoformat(),
        "retry_after_s": max(1, math.ceil((next_at - now).total_seconds())),
    }
    if limit.unit == "questions":
        raise QueryBudgetIsSpent(**fields)
    raise PrivacyBudgetIsSpent(asked=asked, **fields)


def _whole_second(moment: datetime) -> datetime:
    """The next whole second: whoever comes back then is not too early."""
    return moment.replace(microsecond=0) + timedelta(seconds=1 if moment.microsecond else 0)


def _left(tx: Transaction, agreement: PublishedAgreement, now: datetime) -> BudgetLeft:
    limits = _limits(agreement)
    questions, epsilon_milli = (
        _allowance(tx, agreement, limits[unit], now) if unit in limits else None for unit in UNITS
    )
    return BudgetLeft(questions, epsilon_milli)


def _allowance(tx: Transaction, agreement: PublishedAgreement, limit: _Limit, now: datetime) -> Allowance:
    period = timedelta(days=limit.days)
    row = tx.get(SQL.spent, agreement_no=agreement.agreement_no, unit=limit.unit, since=now - period)
    next_at = None if row.oldest_at is None else row.oldest_at + period
    return Allowance(limit.most, limit.days, row.spent, max(0, limit.most - row.spent), next_at)
