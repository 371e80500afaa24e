"""Rows of people whose numbers are so large that their four bytes are found in no file by chance."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.lake import open_snapshot, snapshot
from sanpo.lake.layout import SUBJECTS_PER_RANGE
from tests.lake.rows import BEGIN, READINGS

FIRST = 0x5A3C_0000 - 0x5A3C_0000 % SUBJECTS_PER_RANGE
PEOPLE = [FIRST, FIRST + 1, FIRST + 2, FIRST + SUBJECTS_PER_RANGE - 1, FIRST + SUBJECTS_PER_RANGE]
"""The first three and the last of one range of subjects, and the first of the next."""


def rows_of(subjects: Iterable[int], count: int = 4, *, begin: datetime = BEGIN) -> pa.Table:
    """Readings that say whose they are in every number; `begin` lies two hours before the end of a month."""
    rows = [
        (subject, subject, at, (at + timedelta(hours=9)).replace(tzinfo=None), subject)
        for subject in subjects
        for step in range(count)
        for at in (begin + timedelta(hours=step),)
    ]
    columns = list(map(list, zip(*rows, strict=True))) or [[]] * 5
    names = ("subject_no", "meter_no", "start_at", "start_local", "energy_wh")
    return pa.table(dict(zip(names, columns, strict=True)))


def homes_of(*subjects: int) -> pa.Table:
    texts = ("area", "dwelling_type", "heating_type")
    return pa.table(
        {
            "subject_no": list(subjects),
            **{name: ["other"] * len(subjects) for name in texts},
            "occupants": list(subjects),
        }
    )


def held(city: City, name: str = READINGS) -> list[dict[str, Any]]:
    """All rows of the present snapshot, in an order of their own."""
    rows: list[dict[str, Any]] = open_snapshot(snapshot(city, name)).to_table().to_pylist()
    return sorted(rows, key=lambda row: tuple(map(str, row.values())))


def files_naming(city: City, subject_no: int) -> list[str]:
    """Every file of the lake, data or log, in whose bytes the number stands: as four bytes, or in digits."""
    root = Path(city.lake_url)
    marks = subject_no.to_bytes(4, "little"), str(subject_no).encode()
    return sorted(
        str(file.relative_to(root))
        for file in root.rglob("*")
        if file.is_file() and any(mark in file.read_bytes() for mark in marks)
    )


def resident(subject_no: int) -> Resident:
    return Resident(f"res_{subject_no}", subject_no, f"res_{subject_no}")
