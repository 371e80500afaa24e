"""Running a plan under the guard: what was told to the same organisation before decides what can be told now.

Where a cell is too close to one told before, the question is asked of the earlier answer's rows and of those of its
subjects who still agree: late data and new grants then make no difference, and the answer says so. What is still too
close, as after a withdrawal or with a narrower filter, is withheld.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sanpo.cleanroom import guard, memory
from sanpo.cleanroom.plan import Cell, Plan
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.lake import SnapshotIsGone, snapshot

Run = Callable[[Plan], list[Cell]]
Held = Callable[[Plan], dict[tuple[Any, ...], dict[int, int]]]


@dataclass(frozen=True)
class Found:
    """The cells of the plan that was run in the end; `withheld` are the numbers of those too close to earlier ones.

    `as_before` is the entry of the earlier answer whose rows were asked, or None; `is_guarded` tells whether this answer
    is to be remembered.
    """

    plan: Plan
    cells: list[Cell]
    withheld: frozenset[int] = frozenset()
    as_before: str | None = None
    is_guarded: bool = True


def run_guarded(tx: Transaction, plan: Plan, run: Run, held: Held, *, minimum: int) -> Found:
    """Runs the plan, or the earlier one in its place. Raises as the engine does."""
    found = _looked_at(tx, plan, run(plan), held, minimum)
    if not found.withheld:
        return found
    organisation_no = plan.admission.agreement.organisation_no
    for earlier in memory.find_earlier(tx, organisation_no, plan.question):
        if not earlier.is_same:
            continue
        try:
            before = _as_before(tx.city, plan, earlier)
        except SnapshotIsGone:
            continue
        again = _looked_at(tx, before, run(before), held, minimum)
        if len(again.withheld) < len(found.withheld):
            return replace(again, as_before=earlier.entry_id)
    return found


def _looked_at(tx: Transaction, plan: Plan, cells: list[Cell], held: Held, minimum: int) -> Found:
    organisation_no, question, sets = plan.admission.agreement.organisation_no, plan.question, guard.sets_of(cells)
    if memory.was_told(tx, organisation_no, question, guard.told_hash(cells, sets)):
        return Found(plan, cells)
    close = memory.sets_close_to(tx, organisation_no, question, sets, minimum)
    risky = set(guard.too_close(sets, close, minimum))
    earlier = memory.find_earlier(tx, organisation_no, question)
    told = memory.told_by(tx, [each.entry_no for each in earlier])
    now: guard.Holdings | None = None
    for each in earlier:
        moved = guard.moved_rows(cells, sets, told[each.entry_no]) - risky
        if not moved:
            continue
        try:
            before = held(_over(tx.city, replace(plan, question=each.question), each))
        except SnapshotIsGone:
            risky |= moved  # what cannot be compared any more is not told
            continue
        now = now or held(plan)
        risky |= guard.moved_by_few(cells, moved, before, now, minimum)
    return Found(plan, cells, frozenset(risky))


def _as_before(city: City, plan: Plan, earlier: memory.Earlier) -> Plan:
    return replace(_over(city, plan, earlier), only=earlier.admitted.bits)


def _over(city: City, plan: Plan, earlier: memory.Earlier) -> Plan:
    """The plan over the versions that the earlier answer read."""

    def version(name: str) -> int | None:
        return earlier.snapshots.get(name)

    rows = snapshot(city, plan.rows.dataset.name, version(plan.rows.dataset.name))
    attributes = plan.attributes and snapshot(city, plan.attributes.dataset.name, version(plan.attributes.dataset.name))
    joined = tuple((each, snapshot(city, each.dataset.name, version(each.dataset.name))) for each, _ in plan.joined)
    return replace(plan, rows=rows, attributes=attributes, joined=joined)
