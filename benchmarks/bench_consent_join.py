"""What does the clean room cost in a question over three datasets, against SQL that an analyst would write by hand?

Readings × homes × hourly weather, by area and band of temperature, half of the residents opted in. `ratio`: CPU time of
the whole `ask` (gate, guard, disclosure, journal and returns included) over that of hand-written DuckDB SQL on the same
files with the same consent, which also counts distinct residents, as a rule of ten needs; `ratio_bare`: over the same SQL
without that count. Runs are interleaved; each figure is a ratio of medians.
"""

import argparse
import resource
import statistics
import tempfile
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import duckdb
import metered
import pyarrow as pa
from harness import fresh_city, report

from sanpo.cleanroom import ask
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import import_open, snapshot
from tests.world import World  # type: ignore[import-not-found]

OPERATOR = System("operator")
QUESTION = (
    "select area, band(temperature_c, 5, 10, 15), count(*), sum(energy_wh)"
    " from energy.readings join open.weather using (hour) group by area, band(temperature_c, 5, 10, 15)"
)
BY_HAND = """
select h.area, (w.temperature_c >= 5)::int + (w.temperature_c >= 10)::int + (w.temperature_c >= 15)::int, count(*),
  sum(r.energy_wh){people}
from read_parquet($readings) r join read_parquet($homes) h using (subject_no)
join read_parquet($weather) w on w.observed_local = date_trunc('hour', r.start_local)
where r.subject_no in (select subject_no from granted) group by 1, 2
"""
DESCRIPTOR = """
name = "open.weather"
text = { ja = "気象", en = "Weather" }
licence = "CC0-1.0"
time_column = "observed_at"
local_column = "observed_local"
unique = ["hour"]
[source]
publisher = "made up"
url = "https://example.jp/"
retrieved_day = 2026-01-01
[file]
format = "csv"
timezone = "Asia/Tokyo"
[[keys]]
name = "hour"
kind = "time"
column = "observed_at"
unit = "hour"
[[columns]]
name = "observed_at"
type = "timestamp"
role = "time"
from = "time"
format = "%Y-%m-%d %H:%M:%S"
text = { ja = "時刻", en = "Time" }
[[columns]]
name = "observed_local"
type = "timestamp"
role = "time"
text = { ja = "時刻", en = "Local time" }
[[columns]]
name = "temperature_c"
type = "float64"
role = "measure"
from = "temperature"
text = { ja = "気温", en = "Temperature" }
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--quarters", type=int, default=192)
    options.add_argument("--rounds", type=int, default=7)
    given = options.parse_args()
    with fresh_city() as city:
        rows = metered.fill_lake(city, given.subjects, given.quarters)
        import_weather(city, given.quarters)
        agreement = World(city).agreement(rule={**RULE, "join_keys": ["hour"]})
        granted = metered.grant_share(city, agreement, given.subjects, 0.5)
        engine = duckdb.connect(config={"threads": city.settings.question_threads})
        engine.execute("set timezone = 'UTC'")
        engine.register("granted", pa.table({"subject_no": pa.array(granted.astype("int32"))}))
        files = {each: list(snapshot(city, name).files) for each, name in DATASETS.items()}
        calls: dict[str, Callable[[], object]] = {
            "ask": partial(ask, city, OPERATOR, agreement.agreement_id, QUESTION),
            "hand": lambda: engine.execute(BY_HAND.format(people=", count(distinct r.subject_no)"), files).fetchall(),
            "bare": lambda: engine.execute(BY_HAND.format(people=""), files).fetchall(),
        }
        spent = {name: [] for name in calls}
        for _ in range(given.rounds + 1):
            for name, call in calls.items():
                spent[name].append(cpu_s(call))
    median = {name: statistics.median(values[1:]) for name, values in spent.items()}
    figures = {"ratio": median["ask"] / median["hand"], "ratio_bare": median["ask"] / median["bare"]}
    figures |= {f"cpu_s_{name}": seconds for name, seconds in median.items()}
    report("consent_join", {"rows": rows, "subjects": given.subjects, "share": 0.5}, figures)


DATASETS = {"readings": "energy.readings", "homes": "energy.homes", "weather": "open.weather"}
RULE = {"dimensions": ["area"], "measures": ["energy_wh"], "functions": ["count", "sum", "avg"], "min_subjects": 10}


def import_weather(city: City, quarters: int) -> None:
    """One temperature for each hour of the readings."""
    first = (metered.BEGIN + timedelta(hours=9)).replace(tzinfo=None)
    lines = [f"{first + timedelta(hours=hour)},{(hour * 7) % 20}" for hour in range(-(-quarters // 4) + 1)]
    with tempfile.TemporaryDirectory() as folder:
        descriptor, file = Path(folder) / "weather.toml", Path(folder) / "weather.csv"
        descriptor.write_text(DESCRIPTOR, encoding="utf-8")
        file.write_text("\n".join(["time,temperature", *lines]) + "\n", encoding="utf-8")
        import_open(city, OPERATOR, descriptor, [file])


def cpu_s(call: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    call()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


if __name__ == "__main__":
    main()
