"""One cell's text as a value: numbers, dates, times of a local clock, grid squares. Pure.

A parser raises `CellIsBad` with the reason. Nothing is guessed: a number with a decimal point is no whole number, a
time that the clock showed twice is no moment.
"""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from sanpo.lake.mesh import encode_mesh
from sanpo.lake.opendata.descriptor import Recipe
from sanpo.lake.opendata.problems import CellIsBad, Reason

Parser = Callable[[str], Any]
_GROUPED = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")
_GTFS_TIME = re.compile(r"(\d{1,3}):([0-5]\d):([0-5]\d)")
_TRUE = frozenset({"true", "1", "yes", "有", "あり"})
_FALSE = frozenset({"false", "0", "no", "無", "なし"})
_LARGEST_FLOAT_DIGITS = 400
_MEMORY = 1 << 16
"""Values repeat in most columns; that many of one column are remembered."""


def parser_of(recipe: Recipe, zone: ZoneInfo) -> Parser:
    """What turns a text that is not empty into a value of the recipe's column. `zone`: of the file's clock."""
    column = recipe.column
    parsers: dict[str, Parser] = {
        "int32": lambda text: _whole(text, 31),
        "int64": lambda text: _whole(text, 63),
        "float64": _number,
        "bool": _boolean,
        "date": lambda text: _date(text, recipe.format),
        "timestamp": lambda text: _moment(text, recipe.format, zone),
    }
    if recipe.format == "gtfs_time":
        return _gtfs_time
    if column.type == "text":
        return _text_in(frozenset(column.domain)) if column.domain is not None else lambda text: text
    return lru_cache(_MEMORY)(parsers[column.type])


def mesh_of(latitude: str, longitude: str, recipe: Recipe) -> str:
    """The code of the square around a place."""
    try:
        return encode_mesh(latitude, longitude, recipe.mesh_size_m or 1000)
    except ValueError:
        raise CellIsBad(Reason.NO_PLACE_IN_JAPAN) from None


def local_time(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clock on the wall showed at this moment."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _text_in(domain: frozenset[str]) -> Parser:
    def parse(text: str) -> str:
        if text not in domain:
            raise CellIsBad(Reason.NOT_IN_DOMAIN)
        return text

    return parse


def _plain_number(text: str) -> str:
    return text.replace(",", "") if _GROUPED.fullmatch(text) else text


def _whole(text: str, bits: int) -> int:
    plain = _plain_number(text)
    if not re.fullmatch(r"[+-]?\d+", plain):
        raise CellIsBad(Reason.NOT_WHOLE)
    if len(plain) > 40 or not -(1 << bits) <= int(plain) < 1 << bits:
        raise CellIsBad(Reason.TOO_LARGE)
    return int(plain)


def _number(text: str) -> float:
    plain = _plain_number(text)
    if len(plain) > _LARGEST_FLOAT_DIGITS or not _NUMBER.fullmatch(plain):
        raise CellIsBad(Reason.NOT_A_NUMBER)
    found = float(plain)
    if found in (float("inf"), float("-inf")):
        raise CellIsBad(Reason.TOO_LARGE)
    return found


def _boolean(text: str) -> bool:
    plain = text.casefold()
    if plain not in _TRUE | _FALSE:
        raise CellIsBad(Reason.NOT_A_BOOLEAN)
    return plain in _TRUE


def _date(text: str, format: str | None) -> date:
    try:
        if format is not None:
            return datetime.strptime(text, format).date()  # noqa: DTZ007
        found = _DATE.fullmatch(text)
        if found is None:
            raise CellIsBad(Reason.NOT_A_DATE)
        return date(*map(int, found.groups()))
    except ValueError:
        raise CellIsBad(Reason.NOT_A_DATE) from None


def _moment(text: str, format: str | None, zone: ZoneInfo) -> datetime:
    """The moment in UTC. A text with an offset says it all; one without is read by the clock of `zone`."""
    try:
        found = datetime.strptime(text, format) if format is not None else datetime.fromisoformat(text)  # noqa: DTZ007
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        local = found.replace(tzinfo=zone)
        moment = local.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CellIsBad(Reason.NOT_A_TIME) from None
    if local_time(moment, zone) != found:
        raise CellIsBad(Reason.NO_SUCH_LOCAL_TIME)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise CellIsBad(Reason.AMBIGUOUS_LOCAL_TIME)
    return moment


def _gtfs_time(text: str) -> int:
    """Seconds since the service day began (GTFS Schedule, Time): after midnight they go on over 24:00:00."""
    found = _GTFS_TIME.fullmatch(text)
    if found is None:
        raise CellIsBad(Reason.NOT_A_TIME)
    hours, minutes, seconds = map(int, found.groups())
    return hours * 3600 + minutes * 60 + seconds
