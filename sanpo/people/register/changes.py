"""What a register would change: its rows held against the residents that the city has. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sanpo.people.model import NewResident, Reason
from sanpo.people.register.files import Likeness, Problem, RegisterFile, Row, likeness

_IDENTITY = ("name", "name_kana", "address", "area", "email", "birth_year")


@dataclass(frozen=True)
class Entry:
    """A resident of the city. `household` is the register's number of their home `household_no`, where it gave one."""

    subject_no: int
    resident_id: str
    resident: NewResident
    household_no: int | None
    household: str | None
    vanished: bool


@dataclass(frozen=True)
class Changes:
    """`known` pairs every row of a resident whom the city has with what is to be stored; `changed` are those that differ."""

    new: list[Row]
    known: list[tuple[Entry, Row]]
    changed: list[tuple[Entry, NewResident]]
    moved: list[tuple[Entry, str]]
    vanished: list[Entry]
    problems: list[Problem]

    def touched(self) -> set[int]:
        """The residents about whom anything changes."""
        back = {entry.subject_no for entry, _ in self.known if entry.vanished}
        return back | {entry.subject_no for entry, _ in (*self.changed, *self.moved)}


def compare(file: RegisterFile, entries: Iterable[Entry], *, part: bool = False) -> Changes:
    """The changes that `file` asks for. A row that may be several residents, or a resident twice, is a problem.

    A resident has vanished when the whole register does not list them. A `part` of it, or a register of which rows
    cannot be used, does not tell.
    """
    entries = list(entries)
    found = _Recognition(entries)
    claims: dict[int, list[Row]] = {}
    new, known, problems = [], [], []
    for row in file.good:
        candidates = found.candidates(row.resident)
        if not candidates:
            new.append(row)
        elif len(candidates) > 1:
            problems.append(Problem(row.line, "", Reason.AMBIGUOUS_PERSON))
        else:
            known.append((candidates[0], row))
            claims.setdefault(candidates[0].subject_no, []).append(row)
    problems += [
        Problem(row.line, "", Reason.REPEATED_PERSON) for rows in claims.values() if len(rows) > 1 for row in rows
    ]
    known = [(entry, row) for entry, row in known if len(claims[entry.subject_no]) == 1]
    whole = not (part or problems or file.problems)
    return Changes(
        new,
        known,
        list(_changed(file, known)),
        [(entry, row.household) for entry, row in known if row.household and row.household != entry.household],
        [entry for entry in entries if entry.subject_no not in claims] if whole else [],
        problems,
    )


class _Recognition:
    """Who a row is about: by the register's reference, else by being alike, where no reference speaks against it."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._by_reference: dict[str, Entry] = {}
        self._by_likeness: dict[Likeness, list[Entry]] = {}
        for entry in entries:
            if entry.resident.reference is not None:
                self._by_reference[entry.resident.reference] = entry
            self._by_likeness.setdefault(likeness(entry.resident), []).append(entry)

    def candidates(self, resident: NewResident) -> list[Entry]:
        if resident.reference in self._by_reference:
            return [self._by_reference[resident.reference]]
        alike = self._by_likeness.get(likeness(resident), [])
        if resident.reference is None:
            return alike
        return [entry for entry in alike if entry.resident.reference is None]


def _changed(file: RegisterFile, known: Iterable[tuple[Entry, Row]]) -> Iterator[tuple[Entry, NewResident]]:
    """What is stored anew. Columns that the file does not have stay; so does the language, which residents choose."""
    told = [column for column in _IDENTITY if column in file.header]
    for entry, row in known:
        wanted = replace(
            entry.resident,
            reference=row.resident.reference or entry.resident.reference,
            **{column: getattr(row.resident, column) for column in told},
        )
        if wanted != entry.resident:
            yield entry, wanted
