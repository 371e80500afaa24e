"""Rows for tests of the lake: readings of a quarter of an hour whose values tell whose and when they are."""

from datetime import UTC, datetime, timedelta

import pyarrow as pa

READINGS = "energy.readings"
BEGIN = datetime(2026, 1, 31, 22, 0, tzinfo=UTC)


def readings(subjects: range | list[int], count: int, *, begin: datetime = BEGIN) -> pa.Table:
    """`count` quarters of an hour of each subject, subjects last first, so that the lake has something to sort."""
    rows = [
        (subject, subject + 1, at, (at + timedelta(hours=9)).replace(tzinfo=None), subject * 1000 + step)
        for subject in reversed(subjects)
        for step in range(count)
        for at in (begin + timedelta(minutes=15 * step),)
    ]
    columns = zip(*rows, strict=True)
    names = ("subject_no", "meter_no", "start_at", "start_local", "energy_wh")
    return pa.table(dict(zip(names, map(list, columns), strict=True)))
