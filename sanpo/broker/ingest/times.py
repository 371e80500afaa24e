"""When something was observed, from the ways in which meters and files write it, to the broker's canonical form. Pure."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sanpo.broker.ingest.errors import bad
from sanpo.broker.model import written


def read_zone(name: str) -> ZoneInfo:
    """Raises `ValueError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError(f"{name} is no time zone") from None


def time_reader(form: str, zone: ZoneInfo) -> Callable[[Any], str]:
    """Reads times of one form; those without an offset are of `zone`."""

    @lru_cache(maxsize=65_536)
    def read(value: Any) -> str:
        try:
            found = _moment(form, value)
            return written((found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC))
        except (ValueError, TypeError, OverflowError, OSError):
            return str(bad("the time cannot be read"))

    def checked(value: Any) -> str:
        return read(value) if isinstance(value, str | int | float) else str(bad("the time is missing"))

    return checked


def _moment(form: str, value: Any) -> datetime:
    if form in ("epochS", "epochMs"):
        return datetime.fromtimestamp(float(value) / (1000 if form == "epochMs" else 1), UTC)
    if form == "iso":
        return datetime.fromisoformat(value)
    return datetime.strptime(value, form)  # noqa: DTZ007  # a form without an offset is of the zone
