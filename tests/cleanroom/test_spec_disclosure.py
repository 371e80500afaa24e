"""Runs the specification tables of disclosure control."""

from dataclasses import dataclass

import numpy as np
import pytest

from sanpo.cleanroom.answer import arrange_for
from sanpo.cleanroom.disclosure import Protection, Row, release
from sanpo.cleanroom.model import Dimension, Measure, Question
from sanpo.cleanroom.plan import Cell
from sanpo.ground.errors import DomainError
from tests.cleanroom import spec_disclosure
from tests.cleanroom.tables import rows_of

MARK, TOTAL = "‥", "∑"
UNIVERSE = 400
NUMBERS = ("people", "rows", "values", "wh", "largest")
MEASURES = {
    "rows": Measure(function="count"),
    "sum_wh": Measure(function="sum", column="wh"),
    "avg_wh": Measure(function="avg", column="wh"),
}


@dataclass(frozen=True)
class Case:
    """One block of `CASES`."""

    title: str
    rule: str
    cells: list[dict[str, str]]
    refused: str | None
    told: list[dict[str, str]]

    @property
    def protection(self) -> Protection:
        words = {first: rest for first, *rest in map(str.split, self.rule.split(","))}
        dominance = words.get("dominance")
        return Protection(
            minimum=int(words["minimum"][0]),
            dominance=(int(dominance[0]), int(dominance[1])) if dominance else None,
            rounding=int(words.get("rounding", ["1"])[0]),
            protection_percent=int(words.get("protection", ["10"])[0]),
            totals="totals" in words,
        )

    @property
    def question(self) -> Question:
        names = self.told[0] if self.told else {"rows": "", "sum_wh": ""}
        dimensions = tuple(Dimension(column=name) for name in self.cells[0] if name not in NUMBERS)
        measures = tuple(measure for name, measure in MEASURES.items() if name in names)
        return Question(dataset="a.b", dimensions=dimensions, measures=measures)


def cases() -> list[Case]:
    return [_case(block.strip().splitlines()) for block in spec_disclosure.CASES.strip().split("\n\n")]


def _case(lines: list[str]) -> Case:
    title = " ".join(line.removeprefix("# ") for line in lines if line.startswith("#"))
    rule = next(line for line in lines if line.startswith("minimum"))
    end = next(at for at, line in enumerate(lines) if line.startswith(("tells", "refused")))
    tables = [[line for line in part if line.startswith("|")] for part in (lines[:end], lines[end:])]
    refused = lines[end].split()[1] if lines[end].startswith("refused") else None
    return Case(title, rule, rows_of("\n".join(tables[0])), refused, rows_of("\n".join(tables[1])) if tables[1] else [])


def cells_of(case: Case) -> list[Cell]:
    """The table's cells; people without names are different ones in each cell."""
    nobody = 0
    cells = []
    for row in case.cells:
        flags = np.zeros(UNIVERSE, dtype=np.uint8)
        if row["people"].isdigit():
            flags[nobody : nobody + int(row["people"])] = 1
            nobody += int(row["people"])
        else:
            first, last = map(int, row["people"].split("-"))
            flags[first : last + 1] = 1
        cells.append(_cell(case, row, flags))
    return cells


def _cell(case: Case, row: dict[str, str], flags: np.ndarray) -> Cell:
    rows = int(row.get("rows", int(flags.sum())))
    filled, wh = int(row.get("values", rows)), int(row["wh"])
    values = {"rows": rows, "sum_wh": wh, "avg_wh": wh / filled}
    names = [measure.name for measure in case.question.measures]
    share = float(row["largest"]) if "largest" in row else None
    return Cell(
        key=tuple(_value(row[each.column]) for each in case.question.dimensions),
        values=tuple(values[name] for name in names),
        filled=tuple(rows if name == "rows" else filled for name in names),
        rows=rows,
        subjects=np.packbits(flags).tobytes(),
        largest=tuple(None if name == "rows" else share for name in names) if share is not None else (),
    )


def _value(text: str) -> int | str | None:
    return int(text) if text.isdigit() else text or None


def shown(row: Row, case: Case) -> dict[str, str]:
    """The row as the specification writes it."""
    names = [measure.name for measure in case.question.measures]
    values = {
        name: MARK if hide else str(value) for name, value, hide in zip(names, row.values, row.hidden, strict=True)
    }
    values["people"] = MARK if row.subjects is None else str(row.subjects)
    for dimension, value, total in zip(case.question.dimensions, row.key, row.totals, strict=True):
        values[dimension.column] = TOTAL if total else "" if value is None else str(value)
    return values


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.title)
def test_table_leaves_as_specified(case: Case) -> None:
    question, protection = case.question, case.protection
    if case.refused is not None:
        with pytest.raises(DomainError) as refused:
            release(cells_of(case), question.measures, protection=protection, arrange=arrange_for(question))
        assert refused.value.code == case.refused
        return
    out = release(cells_of(case), question.measures, protection=protection, arrange=arrange_for(question))
    assert [shown(row, case) for row in out.rows] == case.told
