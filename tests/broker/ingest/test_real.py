"""Real readings: a public set of households in 15-minute steps, as a file of measurements."""

import csv
import gzip
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from litestar.testing import TestClient

from sanpo.broker.ingest.files import Given, Import
from sanpo.broker.ingest.mapping import read_mapping
from sanpo.ground.actors import System
from sanpo.ground.city import City
from tests.broker.ingest.conftest import METERS

MOST = 60_000


def test_real_meters_come_in_whole(
    open_city: City, folder: Path, shared: Path, broker: TestClient[Any], history: Any
) -> None:
    """The first readings of the file: each is there, and the last of each meter is its present value."""
    with gzip.open(shared / "energy/households_15min.csv.gz", "rt") as lines:
        head = [line for _, line in zip(range(MOST + 1), lines, strict=False)]
    readings: dict[str, dict[datetime, float]] = {}
    for meter, start, kwh in list(csv.reader(head))[1:]:
        readings.setdefault(meter, {})[datetime.fromisoformat(start).astimezone(UTC)] = float(kwh)
    (folder / "meters.toml").write_text(METERS)
    given = Given.of_body("households.csv", gzip.compress("".join(head).encode()))
    done = Import(open_city, System("operator"), given, *read_mapping(folder / "meters.toml")).run()
    assert (done.records, done.observations, done.entities) == (len(head) - 1, len(head) - 1, len(readings))
    assert done.bad == []
    found = broker.get("/entities", params={"type": "Meter", "limit": 1000, "options": "keyValues"}).json()
    counts: Counter[str] = Counter()
    for each in found:
        of_meter = readings[each["id"].rsplit(":", 1)[-1]]
        assert abs(each["energy"] - 1000 * of_meter[max(of_meter)]) < 1e-6
        counts["meters"] += 1
    assert counts["meters"] == len(readings)
    meter, of_meter = next(iter(readings.items()))
    first = min(of_meter)
    assert history(f"urn:ngsi-ld:Meter:{meter}", "energy")[0] is not None
    params = {
        "timerel": "before",
        "timeAt": (first.replace(tzinfo=None).isoformat() + "Z"),
        "options": "temporalValues",
    }
    reply = broker.get(f"/temporal/entities/urn:ngsi-ld:Meter:{meter}", params=params)
    assert reply.status_code == 404 or "energy" not in reply.json()  # nothing before the first
