"""The residents' register as a CSV file: header by name in Japanese or English, each row read or told apart with reasons.

A file is read strictly (an open quotation mark would swallow the rows behind it), and no cell is repeated in an error or
a report: both may go where the register may not.
"""

import csv
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from sanpo.ground.errors import InputIsInvalid
from sanpo.people.errors import (
    RegisterHasNationalNumbers,
    RegisterHasNoRows,
    RegisterHeaderIsUnknown,
    RegisterIsMalformed,
    RegisterIsNotText,
    RegisterIsUnreadable,
)
from sanpo.people.model import NewResident, Reason, flaws_of, is_reference
from sanpo.people.register.national_numbers import is_national_name, look_national

COLUMNS = {
    "reference": "宛名番号",
    "name": "氏名",
    "name_kana": "フリガナ",
    "address": "住所",
    "area": "地区",
    "email": "メール",
    "birth_year": "生年",
    "household": "世帯番号",
    "language": "言語",
}
NEEDED = ("name", "name_kana", "address", "area")
ENCODINGS = ("utf-8", "cp932")
_YEAR = re.compile(r"[12][0-9]{3}")
_TOLD_EVERY = 5_000

Likeness = tuple[str, str, str, int | None]
Progress = Callable[[str, int, int], None]
"""Hears of the stage (`read` or `write`), how many rows are done, and of how many."""


def no_progress(stage: str, done: int, total: int) -> None:
    """For whoever does not want to hear."""


class Problem(NamedTuple):
    """`row` is the line where the row begins (the header is line 1), `column` as the file calls it, "" for the whole row."""

    row: int
    column: str
    reason: Reason


@dataclass(frozen=True)
class Row:
    """One person of the register. `household` is the register's number of their household."""

    line: int
    resident: NewResident
    household: str | None = None


@dataclass(frozen=True)
class RegisterFile:
    """A file that was read. `header` maps our names of columns to the file's; `good` rows have no problem of their own."""

    name: str
    header: dict[str, str]
    rows: int
    good: list[Row]
    problems: list[Problem]


def read_register(
    path: Path, *, encoding: str = "utf-8", this_year: int, progress: Progress = no_progress
) -> RegisterFile:
    """Reads a file. Raises `RegisterIsUnreadable`, `RegisterIsNotText`, and what `parse_register` raises."""
    if encoding not in ENCODINGS:
        raise InputIsInvalid(where="encoding", problem=" | ".join(ENCODINGS))
    try:
        data = path.read_bytes()
    except OSError as error:
        raise RegisterIsUnreadable(file=path.name, problem=error.strerror or type(error).__name__) from error
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        others = ", ".join(each for each in ENCODINGS if each != encoding)
        raise RegisterIsNotText(file=path.name, row=row, encoding=encoding, others=others) from None
    return parse_register(path.name, text.removeprefix("\ufeff"), this_year=this_year, progress=progress)


def parse_register(name: str, text: str, *, this_year: int, progress: Progress = no_progress) -> RegisterFile:
    """The rows of a register's text, and the problems of those that cannot be used. Pure.

    Raises `RegisterHeaderIsUnknown`, `RegisterHasNationalNumbers`, `RegisterIsMalformed`, `RegisterHasNoRows`.
    """
    records = _records(name, text)
    header = _read_header(name, next(records, (1, []))[1])
    rows, problems, count, lines = [], [], 0, text.count("\n") + 1
    for line, cells in records:
        count += 1
        if count % _TOLD_EVERY == 0:
            progress("read", line, lines)
        if len(cells) != len(header):
            problems.append(Problem(line, "", Reason.WRONG_COLUMNS))
            continue
        row, found = _read_row(line, dict(zip(header, cells, strict=True)), this_year)
        rows.append(row)
        problems += [Problem(line, header[column], reason) for column, reason in found]
    progress("read", lines, lines)
    if not count:
        raise RegisterHasNoRows(file=name)
    _refuse_national_numbers(name, header, rows)
    problems += _problems_between(header, rows)
    bad = {problem.row for problem in problems}
    return RegisterFile(name, header, count, [row for row in rows if row.line not in bad], sorted(problems))


def _records(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    """Each record with the line where it begins; records without any content are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield line, stripped
            line = reader.line_num + 1
    except csv.Error as error:
        raise RegisterIsMalformed(file=name, row=line, problem=str(error)) from None


def _read_header(name: str, cells: list[str]) -> dict[str, str]:
    """Our name of each column with the file's, in the file's order."""
    known = {_plain(each): ours for ours, theirs in COLUMNS.items() for each in (ours, theirs)}
    accepted = ", ".join(f"{ours} ({theirs})" for ours, theirs in COLUMNS.items())
    for cell in filter(is_national_name, cells):
        raise RegisterHasNationalNumbers(file=name, column=cell[:40])
    # Where no column is known there is no header, and the first line is a person's: it is not shown.
    is_header = any(_plain(cell) in known for cell in cells)
    header: dict[str, str] = {}
    for place, cell in enumerate(cells, 1):
        ours = known.get(_plain(cell))
        if ours is None or ours in header:
            column = cell[:40] if is_header else f"#{place}"
            raise RegisterHeaderIsUnknown(file=name, column=column, accepted=accepted)
        header[ours] = cell
    for needed in NEEDED:
        if needed not in header:
            raise RegisterHeaderIsUnknown(file=name, column=f"{needed} ({COLUMNS[needed]})", accepted=accepted)
    return header


def _read_row(line: int, cells: dict[str, str], this_year: int) -> tuple[Row, list[tuple[str, Reason]]]:
    """The row, and what is wrong with it by itself."""
    year = unicodedata.normalize("NFKC", cells.get("birth_year", ""))
    reference, household = (_plain_number(cells.get(column, "")) for column in ("reference", "household"))
    resident = NewResident(
        name=cells["name"],
        name_kana=cells["name_kana"],
        address=cells["address"],
        area=cells["area"],
        email=cells.get("email") or None,
        birth_year=int(year) if _YEAR.fullmatch(year) else None,
        language=cells.get("language") or "ja",  # type: ignore[arg-type]  # flaws_of says when it is none of ours
        reference=reference,
    )
    flaws = list(flaws_of(resident))
    if year and (resident.birth_year is None or resident.birth_year > this_year):
        flaws = [*(flaw for flaw in flaws if flaw[0] != "birth_year"), ("birth_year", Reason.MALFORMED_BIRTH_YEAR)]
    if household is not None and not is_reference(household):
        flaws.append(("household", Reason.MALFORMED_REFERENCE))
    return Row(line, resident, household), flaws


def _refuse_national_numbers(name: str, header: dict[str, str], rows: list[Row]) -> None:
    columns = {
        "reference": (row.resident.reference for row in rows),
        "household": (row.household for row in rows),
    }
    for column, values in columns.items():
        if look_national(value for value in values if value is not None):
            raise RegisterHasNationalNumbers(file=name, column=header[column])


def _problems_between(header: dict[str, str], rows: list[Row]) -> Iterator[Problem]:
    """What is wrong with rows only beside others. Every one of them is named: which is the right one, a file cannot tell."""
    references = Counter(row.resident.reference for row in rows)
    persons = Counter(likeness(row.resident) for row in rows)
    areas: dict[str, set[str]] = {}
    for row in rows:
        areas.setdefault(row.household or "", set()).add(row.resident.area)
    for row in rows:
        reference = row.resident.reference
        if reference is not None and references[reference] > 1:
            yield Problem(row.line, header["reference"], Reason.REPEATED_REFERENCE)
        if reference is None and persons[likeness(row.resident)] > 1:
            yield Problem(row.line, "", Reason.REPEATED_PERSON)
        if row.household and len(areas[row.household]) > 1:
            yield Problem(row.line, header["area"], Reason.HOUSEHOLD_IN_TWO_AREAS)


def likeness(resident: NewResident) -> Likeness:
    """By what somebody is recognised whom the register gives no reference: name, reading, address, year of birth."""
    return resident.name, resident.name_kana, resident.address, resident.birth_year


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", name).casefold())


def _plain_number(text: str) -> str | None:
    """A reference as it is stored: full-width digits become plain ones; None for an empty cell."""
    return unicodedata.normalize("NFKC", text) or None
