"""A street for tests: residents with meters, homes, and weeks of readings."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path

from sanpo.consent import PublishedAgreement, approve_agreement
from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.services.energy import Home, import_readings, publish_homes, register_homes, register_meters
from sanpo.services.energy.comparison import publish_comparison
from tests.services.energy.files.written import TOKYO, write
from tests.world import OPERATOR, World

BEGIN = datetime(2026, 3, 2, tzinfo=TOKYO)  # a Monday
DAYS = 14


def readings(meter_id: str, wh: int, *, days: int = DAYS) -> list[tuple[str, str, str]]:
    """The same energy in each quarter of an hour."""
    at = (BEGIN.astimezone(UTC) + timedelta(minutes=15 * step) for step in range(96 * days))
    return [(meter_id, moment.astimezone(TOKYO).strftime("%Y-%m-%dT%H:%M:%S%z"), f"{wh / 1000:.3f}") for moment in at]


def settle(
    city: City, folder: Path, residents: Sequence[Resident], *, dwelling: str = "detached", heating: str = "heat_pump"
) -> None:
    """Gives each resident a home and a meter with two weeks of readings: 100 Wh a quarter for the first, 110, 120 …"""
    register_meters(city, OPERATOR, {f"M{one.subject_no}": one.subject_no for one in residents})
    register_homes(city, OPERATOR, [Home(one.subject_no, "中央", dwelling, heating, 2) for one in residents])
    publish_homes(city, OPERATOR)
    rows = chain.from_iterable(readings(f"M{one.subject_no}", 100 + 10 * place) for place, one in enumerate(residents))
    import_readings(city, OPERATOR, write(folder / f"{dwelling}-{heating}.csv", list(rows)))


def offer_comparison(world: World) -> PublishedAgreement:
    """The comparison as an agreement of the city hall, approved."""
    published = publish_comparison(world.city, OPERATOR, world.hall.organisation_id)
    return approve_agreement(world.city, world.officer, published.agreement_id)
