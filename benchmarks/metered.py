"""A city whose residents all have meters: a lake of readings at scale, an agreement, and grants for any share of them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pyarrow as pa

from sanpo.consent import PublishedAgreement
from sanpo.ground.city import City
from sanpo.lake import append, get_dataset, replace
from tests.world import World  # type: ignore[import-not-found]

QUARTER = timedelta(minutes=15)
BEGIN = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
AREAS = np.array([f"area {number}" for number in range(10)])
CHUNK = 2048
QUESTION = "select area, hour(start_at), count(*), sum(energy_wh) from energy.readings group by area, hour(start_at)"


def fill_lake(city: City, subjects: int, quarters: int) -> int:
    """Every subject has `quarters` readings and a home in one of ten areas; returns the number of readings."""
    schema = get_dataset(city, "energy.readings").schema
    append(city, "energy.readings", pa.RecordBatchReader.from_batches(schema, _readings(schema, subjects, quarters)))
    chance = np.random.default_rng(1)
    numbers = np.arange(subjects, dtype=np.int32)
    homes = {
        "subject_no": numbers,
        "area": AREAS[chance.integers(0, len(AREAS), subjects)],
        "dwelling_type": np.array(["detached", "apartment"])[numbers % 2],
        "heating_type": np.array(["gas", "heat_pump"])[numbers % 2],
        "occupants": (1 + numbers % 5).astype(np.int32),
    }
    replace(city, "energy.homes", pa.table(homes).cast(get_dataset(city, "energy.homes").schema))
    return subjects * quarters


def published(city: City) -> PublishedAgreement:
    """An approved agreement of the university over these datasets."""
    return World(city).agreement()


def grant_share(city: City, agreement: PublishedAgreement, subjects: int, share: float) -> np.ndarray:
    """Gives the grants of a random share in bulk, as the database's owner: the benchmark is about what follows."""
    chosen = np.sort(np.random.default_rng(7).permutation(subjects)[: max(int(subjects * share), 1)])
    flags = np.zeros(-(-subjects // CHUNK) * CHUNK, dtype=np.uint8)
    flags[chosen] = 1
    bits = np.packbits(flags, bitorder="little").reshape(-1, CHUNK // 8)
    number = agreement.agreement_no
    with psycopg.connect(city.settings.database_owner_url) as conn:
        conn.execute("delete from consent.granted_chunks where agreement_no = %s", (number,))
        conn.execute("delete from consent.grants where agreement_no = %s", (number,))
        rows = [(number, chunk_no, part.tobytes()) for chunk_no, part in enumerate(bits)]
        conn.cursor().executemany("insert into consent.granted_chunks values (%s, %s, %s)", rows)
        with conn.cursor().copy("copy consent.grants from stdin") as copy:
            for subject_no in chosen.tolist():
                copy.write_row((subject_no, number, "given", city.now(), city.now() + timedelta(days=180)))
    return chosen


def _readings(schema: pa.Schema, subjects: int, quarters: int) -> Iterator[pa.RecordBatch]:
    chance = np.random.default_rng(2)
    start = np.datetime64(BEGIN.replace(tzinfo=None), "us") + np.arange(quarters) * np.timedelta64(15, "m")
    local = start + np.timedelta64(9, "h")
    for first in range(0, subjects, 1000):
        numbers = np.arange(first, min(first + 1000, subjects), dtype=np.int32)
        rows = len(numbers) * quarters
        subject_no = np.repeat(numbers, quarters)
        columns = {
            "subject_no": pa.array(subject_no),
            "meter_no": pa.array(subject_no),
            "start_at": pa.array(np.tile(start, len(numbers))).cast(schema.field("start_at").type),
            "start_local": pa.array(np.tile(local, len(numbers))),
            "energy_wh": pa.array(chance.integers(0, 800, rows, dtype=np.int32)),
        }
        yield pa.RecordBatch.from_arrays([columns[name] for name in schema.names], schema=schema)
