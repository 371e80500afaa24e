"""Importing the residents' register: all of it is checked before any of it is written, and all is one transaction.

The same register again changes nothing: people are recognised by its reference, or where it gives none by being alike.
Whoever is not in it any more is told and marked, never removed.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sanpo.ground.actors import Actor, System
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.people.actions import insert_households, insert_residents, require_register
from sanpo.people.errors import FileCannotBeWritten, RegisterHasBadRows, RegisterHasOnlyBadRows
from sanpo.people.model import NewHousehold, NewResident
from sanpo.people.private_files import write_private_csv
from sanpo.people.register import Changes, Entry, Problem, Progress, RegisterFile, compare, no_progress, read_register
from sanpo.people.store import SQL

REGISTER = System("register")
LISTED = 20
_CHUNK = 2_000
_REPORT = ("row", "column", "reason", "resident_id", "reference")
_T = TypeVar("_T")


@dataclass(frozen=True)
class RegisterImport:
    """What an import did, or with `only_check` would do. `rows` are registered, changed, unchanged or skipped."""

    file: str
    rows: int
    registered: int
    changed: int
    unchanged: int
    skipped: int
    reasons: dict[str, int]
    vanished: int
    only_check: bool


def import_register(
    city: City,
    actor: Actor,
    path: Path,
    *,
    encoding: str = "utf-8",
    part: bool = False,
    skip_bad: bool = False,
    only_check: bool = False,
    report: Path | None = None,
    progress: Progress = no_progress,
) -> RegisterImport:
    """Imports a register whole, or with `skip_bad` without its bad rows; otherwise nothing of it. For the operator.

    `part` says that the file is not the whole register, so that nobody who is not in it has vanished. `report` is a CSV
    file of all problems and of all who have vanished, written in any case. Raises the file's errors (`Register…`) and
    `FileCannotBeWritten`.
    """
    require_register(actor)
    if report is not None and report.exists() and path.exists() and report.samefile(path):
        raise FileCannotBeWritten(file=str(report), problem="it is the register")
    file = read_register(path, encoding=encoding, this_year=city.now().year, progress=progress)
    with city.transaction(REGISTER) as tx:
        tx.execute(SQL.lock_register)
        entries = _entries(tx)
        changes = compare(file, entries, part=part)
        problems = sorted([*file.problems, *changes.problems])
        if report is not None:
            _write_report(report, problems, changes.vanished)
        done = _summary(file, changes, problems, only_check=only_check)
        _judge(done, problems, skip_bad=skip_bad)
        if not only_check:
            _write(tx, file, entries, changes, progress)
    return done


def _entries(tx: Transaction) -> list[Entry]:
    return [
        Entry(row.subject_no, row.resident_id, NewResident(*row[2:10]), row.household_no, row.household, row.vanished)
        for row in tx.all(SQL.register)
    ]


def _write_report(path: Path, problems: Sequence[Problem], vanished: Sequence[Entry]) -> None:
    """A line for each problem, then one for each resident whom the register does not list any more."""
    lines: list[tuple[object, ...]] = [(*problem, "", "") for problem in problems]
    lines += [("", "", "vanished", entry.resident_id, entry.resident.reference) for entry in vanished]
    write_private_csv(path, _REPORT, lines, replace=True)


def _summary(file: RegisterFile, changes: Changes, problems: Sequence[Problem], *, only_check: bool) -> RegisterImport:
    touched = len(changes.touched())
    return RegisterImport(
        file=file.name,
        rows=file.rows,
        registered=len(changes.new),
        changed=touched,
        unchanged=len(changes.known) - touched,
        skipped=len({problem.row for problem in problems}),
        reasons={str(reason): count for reason, count in Counter(p.reason for p in problems).most_common()},
        vanished=len(changes.vanished),
        only_check=only_check,
    )


def _judge(done: RegisterImport, problems: Sequence[Problem], *, skip_bad: bool) -> None:
    if not problems:
        return
    fields = {
        "file": done.file,
        "bad": done.skipped,
        "rows": done.rows,
        "reasons": ", ".join(f"{reason} {count}" for reason, count in done.reasons.items()),
        "counts": done.reasons,
        "first": [problem._asdict() for problem in problems[:LISTED]],
    }
    if not skip_bad:
        raise RegisterHasBadRows(**fields)
    if done.skipped == done.rows:
        raise RegisterHasOnlyBadRows(**fields)


def _write(tx: Transaction, file: RegisterFile, entries: Sequence[Entry], changes: Changes, progress: Progress) -> None:
    total = len(changes.new) + len(changes.changed)
    members = [(entry.subject_no, household) for entry, household in changes.moved]
    done = 0
    for new in _chunks(changes.new):
        made = insert_residents(tx, [row.resident for row in new])
        members += [(one.subject_no, row.household) for one, row in zip(made, new, strict=True) if row.household]
        progress("write", done := done + len(new), total)
    for changed in _chunks(changes.changed):
        _amend(tx, changed)
        progress("write", done := done + len(changed), total)
    _settle(tx, members, file, {entry.household: entry.household_no for entry in entries if entry.household_no})
    tx.execute(SQL.mark_vanished, subject_nos=[entry.subject_no for entry in changes.vanished], at=tx.now)
    tx.execute(SQL.unmark_vanished, subject_nos=[entry.subject_no for entry, _ in changes.known if entry.vanished])


def _amend(tx: Transaction, changed: Sequence[tuple[Entry, NewResident]]) -> None:
    wanted = [resident for _, resident in changed]
    tx.execute(
        SQL.amend_identities,
        subject_nos=[entry.subject_no for entry, _ in changed],
        names=[resident.name for resident in wanted],
        kanas=[resident.name_kana for resident in wanted],
        addresses=[resident.address for resident in wanted],
        areas=[resident.area for resident in wanted],
        emails=[resident.email for resident in wanted],
        birth_years=[resident.birth_year for resident in wanted],
        references=[resident.reference for resident in wanted],
    )


def _settle(
    tx: Transaction, members: Sequence[tuple[int, str]], file: RegisterFile, homes: dict[str | None, int]
) -> None:
    """Puts residents into the register's households, and households where the register has them."""
    areas = {row.household: row.resident.area for row in file.good if row.household}
    old = [household for household in areas if household in homes]
    tx.execute(
        SQL.set_household_areas,
        household_nos=[homes[household] for household in old],
        areas=[areas[household] for household in old],
    )
    new = list(dict.fromkeys(household for _, household in members if household not in homes))
    made = insert_households(tx, [NewHousehold(areas[household], ()) for household in new])
    numbers = homes | {household: home.household_no for household, home in zip(new, made, strict=True)}
    tx.execute(
        SQL.settle_members,
        subject_nos=[subject_no for subject_no, _ in members],
        household_nos=[numbers[household] for _, household in members],
        references=[household for _, household in members],
    )


def _chunks(of: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(of), _CHUNK):
        yield of[start : start + _CHUNK]
