"""Files of readings for tests."""

import gzip
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from sanpo.services.energy.files import FileContents, open_readings, parse

TOKYO, ZURICH = ZoneInfo("Asia/Tokyo"), ZoneInfo("Europe/Zurich")
NOW = datetime(2026, 4, 1, tzinfo=UTC)
BEGIN = datetime(2026, 1, 5, tzinfo=TOKYO)


def series(
    meter_id: str = "M1", count: int = 8, *, begin: datetime = BEGIN, kwh: str = "0.25", step_min: int = 15
) -> Iterator[tuple[str, str, str]]:
    """Rows of one meter, in the zone of `begin`, through changes of the clock."""
    for number in range(count):
        at = (begin.astimezone(UTC) + timedelta(minutes=step_min * number)).astimezone(begin.tzinfo)
        yield meter_id, at.strftime("%Y-%m-%dT%H:%M:%S%z"), kwh


def write(path: Path, rows: Sequence[tuple[str, ...]] | Iterator[tuple[str, ...]], *, packed: bool = False) -> Path:
    """A CSV file with its header."""
    text = "\n".join(["meter_id,start,kwh", *(",".join(row) for row in rows)]) + "\n"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    return path


def contents_of(path: Path) -> FileContents:
    with open_readings(path) as file:
        return parse(file)
