"""A resident's own use, read from the lake: days for the page, readings to take along."""

from datetime import timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.lake import read_subject
from sanpo.services.energy.actions import list_meters
from sanpo.services.energy.curves import Day, days_of
from sanpo.services.energy.model import READINGS

SHOWN = timedelta(days=400)
"""A year and the month before it, back from the last reading."""


def read_days(city: City, actor: Actor) -> list[Day]:
    """The local days of the resident's last 400 days of readings, all meters together.

    Raises `NotSignedIn`, `NotPermitted`, `LakeIsUnavailable`.
    """
    rows = read_subject(city, actor, READINGS)
    if not rows.num_rows:
        return []
    newest = pc.max(rows["start_at"])
    rows = rows.filter(pc.greater(rows["start_at"], pa.scalar(newest.as_py() - SHOWN, newest.type)))
    summed = rows.group_by(["start_at", "start_local"]).aggregate([("energy_wh", "sum")]).sort_by("start_at")
    return days_of(zip(summed["start_local"].to_pylist(), summed["energy_wh_sum"].to_pylist(), strict=True))


def readings_csv(city: City, actor: Actor) -> bytes:
    """All of the resident's readings as a CSV file of the form that `sanpo energy import` reads."""
    names = {meter.meter_no: meter.meter_id for meter in list_meters(city, actor)}
    rows = read_subject(city, actor, READINGS)
    local = rows["start_local"].cast(pa.timestamp("s"))
    offset_s = pc.subtract(local.cast(pa.int64()), rows["start_at"].cast(pa.timestamp("s", "UTC")).cast(pa.int64()))
    ends = pa.array(map(_offset, offset_s.to_pylist()), pa.string())
    table = pa.table(
        {
            "meter_id": pa.array(
                (names.get(number, str(number)) for number in rows["meter_no"].to_pylist()), pa.string()
            ),
            "start": pc.binary_join_element_wise(pc.strftime(local, "%Y-%m-%dT%H:%M:%S"), ends, ""),
            "kwh": pa.array((_kwh(wh) for wh in rows["energy_wh"].to_pylist()), pa.string()),
        }
    )
    sink = pa.BufferOutputStream()
    pcsv.write_csv(table, sink, pcsv.WriteOptions(quoting_style="none", quoting_header="none"))
    return bytes(sink.getvalue().to_pybytes())


def _kwh(energy_wh: int) -> str:
    return f"{energy_wh // 1000}.{energy_wh % 1000:03d}"


def _offset(seconds: int) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}{minutes:02d}"
