"""Energy: meters, their readings, and the page on which residents see, compare and use their own.

Invariants:
* A file of readings is imported whole, or without its bad rows when that was asked for, and never twice.
* Energy is kept in whole watt-hours; a kWh value is converted as a decimal, never as a float.
* A resident's page reads own rows alone; similar homes come in only as an answer of the clean room.

Tables: `energy.meters`, `energy.homes` (personal), `energy.imports`, `energy.comparisons`.
Datasets: `energy.readings`, `energy.homes`.
"""

from sanpo.services.energy.actions import find_home, list_meters, publish_homes, register_homes, register_meters
from sanpo.services.energy.comparison import publish_comparison
from sanpo.services.energy.imports import import_readings, list_imports
from sanpo.services.energy.model import HOMES, READINGS, Home, Imported, Meter

__all__ = [
    "HOMES",
    "READINGS",
    "Home",
    "Imported",
    "Meter",
    "find_home",
    "import_readings",
    "list_imports",
    "list_meters",
    "publish_comparison",
    "publish_homes",
    "register_homes",
    "register_meters",
]
