"""How fast do readings come in: file → every row checked → durable in the lake, in one process?

The file is the real one of 100 homes and seven weeks where `../shared` is there, else one made alike (gzip, 15-minute
rows). `per_s` counts the rows of the file over the whole call of `import_readings`. Alternative in the same run, on the
first rows of the same file: a loop over `csv` with `datetime.fromisoformat` and `Decimal`, a set against duplicates,
and one INSERT for each row in one transaction of the same PostgreSQL; it checks less.
"""

import argparse
import csv
import gzip
import tempfile
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from harness import fresh_city, report

from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.services.energy import import_readings, register_meters

OPERATOR = System("operator")
ZONE = "Europe/Zurich"
REAL = Path(__file__).resolve().parents[2] / "shared/data/energy/households_15min.csv.gz"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--file", type=Path, default=REAL if REAL.is_file() else None)
    options.add_argument("--meters", type=int, default=100, help="of the made-up file")
    options.add_argument("--days", type=int, default=49, help="of the made-up file")
    options.add_argument("--naive-rows", type=int, default=20_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = given.file or make_file(Path(folder) / "readings.csv.gz", given.meters, given.days)
        with gzip.open(file, "rt") as text:
            meters = sorted({line.split(",", 1)[0] for line in islice(text, 1, None)})
        with fresh_city() as city:
            register_meters(city, OPERATOR, {meter_id: place for place, meter_id in enumerate(meters)})
            naive_per_s = naive(city, file, given.naive_rows)
            began = time.perf_counter()
            done = import_readings(city, OPERATOR, file, timezone=ZONE)
            per_s = done.rows / (time.perf_counter() - began)
    report(
        "import",
        {"rows": done.rows, "meters": len(meters), "real": given.file is not None, "naive_rows": given.naive_rows},
        {"per_s": per_s, "naive_per_s": naive_per_s, "times_faster_than_naive": per_s / naive_per_s},
    )


def naive(city: City, file: Path, count: int) -> float:
    """Rows per second of the loop that one would write first."""
    insert = "insert into naive values (%s, %s, %s)"
    with city.db.connection() as conn, gzip.open(file, "rt", newline="") as text:
        conn.execute("create temporary table naive (meter_id text, start_at timestamptz, energy_wh int)")
        began = time.perf_counter()
        seen: set[tuple[str, datetime]] = set()
        rows = 0
        with conn.transaction():
            for row in islice(csv.DictReader(text), count):
                start = datetime.fromisoformat(row["start"])
                value = Decimal(row["kwh"])
                key = (row["meter_id"], start)
                if value < 0 or not value.is_finite() or key in seen or start.timestamp() % 900:
                    raise ValueError(row)
                seen.add(key)
                conn.execute(insert, (row["meter_id"], start, round(value * 1000)))
                rows += 1
        return rows / (time.perf_counter() - began)


def make_file(path: Path, meters: int, days: int) -> Path:
    """Rows like the real ones: meter by meter, quarter by quarter."""
    begin = datetime(2014, 10, 27, tzinfo=ZoneInfo(ZONE)).astimezone(UTC)
    starts = [
        (begin + timedelta(minutes=15 * step)).astimezone(ZoneInfo(ZONE)).strftime("%Y-%m-%dT%H:%M:%S%z")
        for step in range(96 * days)
    ]
    with gzip.open(path, "wt", compresslevel=1) as text:
        text.write("meter_id,start,kwh\n")
        for meter in range(meters):
            text.writelines(
                f"{1_000_000 + meter},{start},{(step * 37 + meter * 11) % 700 / 1000}\n"
                for step, start in enumerate(starts)
            )
    return path


if __name__ == "__main__":
    main()
