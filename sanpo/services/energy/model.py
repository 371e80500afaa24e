"""Nouns of the energy service: meters, homes, imports; and the values that describe a home. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.services.energy.errors import HomeIsInvalid, MeterIdIsInvalid

READINGS = "energy.readings"
HOMES = "energy.homes"

UNKNOWN = "unknown"
DWELLING_TYPES = ("detached", "semi_detached", "terraced", "apartment", "other", UNKNOWN)
HEATING_TYPES = ("heat_pump", "electric", "heat_pump_and_boiler", "gas", "kerosene", "other", UNKNOWN)
_METER_ID = re.compile(r"[^\s,\"]{1,64}")


@dataclass(frozen=True)
class Meter:
    """`meter_id` is the name that files use; `meter_no` is the lake's; `subject_no` is whose readings they are."""

    meter_no: int
    meter_id: str
    subject_no: int


@dataclass(frozen=True)
class Home:
    """What a resident told about the home; `occupants` is 0 where it is not known."""

    subject_no: int
    area: str
    dwelling_type: str = UNKNOWN
    heating_type: str = UNKNOWN
    occupants: int = 0


@dataclass(frozen=True)
class Imported:
    """What an import did. `rows` were in the file, `readings` are now in the lake, `skipped` rows were left out for
    `reasons` (problems by reason); `rounded` values had more than three decimals of a kWh; `missing` quarters of an
    hour lie in gaps between readings."""

    import_id: str
    file_name: str
    format: str
    timezone: str
    rows: int
    readings: int
    meters: int
    skipped: int
    reasons: dict[str, int]
    rounded: int
    missing: int
    first_start_at: datetime
    last_start_at: datetime

    def as_json(self) -> dict[str, Any]:
        """For the database and for programs; times in ISO 8601."""
        times = {"first_start_at": self.first_start_at.isoformat(), "last_start_at": self.last_start_at.isoformat()}
        return {**vars(self), **times}

    @staticmethod
    def from_json(value: dict[str, Any]) -> "Imported":
        times = {name: datetime.fromisoformat(value[name]) for name in ("first_start_at", "last_start_at")}
        return Imported(**{**value, **times})


def check_meter_id(text: str) -> str:
    """The name of a meter as files can carry it; raises `MeterIdIsInvalid`."""
    if not _METER_ID.fullmatch(text):
        raise MeterIdIsInvalid(given=text[:80])
    return text


def check_home(home: Home) -> Home:
    """Raises `HomeIsInvalid` for a value outside what is accepted."""
    for where, given, accepted in (
        ("dwelling_type", home.dwelling_type, DWELLING_TYPES),
        ("heating_type", home.heating_type, HEATING_TYPES),
    ):
        if given not in accepted:
            raise HomeIsInvalid(where=where, given=given[:80], accepted=" | ".join(accepted))
    if not 1 <= len(home.area.strip()) <= 40:
        raise HomeIsInvalid(where="area", given=home.area[:80], accepted="1 – 40 characters")
    if not 0 <= home.occupants <= 99:
        raise HomeIsInvalid(where="occupants", given=str(home.occupants), accepted="0 – 99")
    return home
