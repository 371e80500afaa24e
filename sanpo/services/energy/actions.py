"""Verbs of the energy service: register meters and homes, give the lake what it must know of homes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from sanpo.ground.actors import Actor, Resident, require, require_officer
from sanpo.ground.city import City
from sanpo.lake import replace
from sanpo.services.energy.errors import MeterIsAlreadyRegistered
from sanpo.services.energy.model import HOMES, Home, Meter, check_home, check_meter_id
from sanpo.services.energy.store import SQL


def register_meters(city: City, actor: Actor, owners: Mapping[str, int]) -> list[Meter]:
    """Gives meters (by the name that files use) to residents; a meter that already is that resident's stays.

    Raises `MeterIdIsInvalid`, and `MeterIsAlreadyRegistered` where one is another resident's: then none is registered.
    """
    officer = require_officer(actor)
    meter_ids = [check_meter_id(meter_id) for meter_id in owners]
    with city.transaction(officer) as tx:
        tx.execute(SQL.insert_meters, meter_ids=meter_ids, subject_nos=list(owners.values()), now=tx.now)
        meters = [_meter(row) for row in tx.all(SQL.meters, meter_ids=meter_ids)]
        for meter in meters:
            if meter.subject_no != owners[meter.meter_id]:
                raise MeterIsAlreadyRegistered(meter_id=meter.meter_id)
    return meters


def register_homes(city: City, actor: Actor, homes: Sequence[Home]) -> None:
    """Records what is known of homes, in the place of what was known. `publish_homes` then tells the lake.

    Raises `HomeIsInvalid`: then none is recorded.
    """
    officer = require_officer(actor)
    for home in homes:
        check_home(home)
    with city.transaction(officer) as tx:
        tx.execute(
            SQL.upsert_homes,
            subject_nos=[home.subject_no for home in homes],
            areas=[home.area for home in homes],
            dwelling_types=[home.dwelling_type for home in homes],
            heating_types=[home.heating_type for home in homes],
            occupants=[home.occupants for home in homes],
            now=tx.now,
        )


def publish_homes(city: City, actor: Actor) -> int:
    """Writes the dataset `energy.homes` anew from the table, in one commit; returns how many homes it holds."""
    officer = require_officer(actor)
    with city.transaction(officer) as tx:
        # Two at once would each write a true state, but the older might come last.
        tx.execute(SQL.lock_homes)
        rows = tx.all(SQL.homes)
        columns = ("subject_no", "area", "dwelling_type", "heating_type", "occupants")
        replace(city, HOMES, pa.table({name: [getattr(row, name) for row in rows] for name in columns}, _HOMES_SCHEMA))
    return len(rows)


def list_meters(city: City, actor: Actor) -> list[Meter]:
    """The resident's own meters."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        return [_meter(row) for row in tx.all(SQL.meters_of_subject, subject_no=resident.subject_no)]


def find_home(city: City, actor: Actor) -> Home | None:
    """What the resident's own home is known as."""
    resident = require(actor, Resident)
    with city.transaction(resident) as tx:
        row = tx.one(SQL.home, subject_no=resident.subject_no)
    return None if row is None else Home(*row)


_HOMES_SCHEMA = pa.schema(
    [
        ("subject_no", pa.int32()),
        ("area", pa.string()),
        ("dwelling_type", pa.string()),
        ("heating_type", pa.string()),
        ("occupants", pa.int32()),
    ]
)


def _meter(row: Any) -> Meter:
    return Meter(row.meter_no, row.meter_id, row.subject_no)
