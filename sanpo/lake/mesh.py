"""Japan's standard grid squares (JIS X 0410): a place as the code of the square in which it lies, and back.

A code is exact: a place is counted in whole quarters of a third square (7.5″ of latitude, 11.25″ of longitude) from the
equator and 100° E, from the decimal digits as they were written. Binary fractions would move places on a square's edge.

    first square    5339        40′ × 1°       about 80 km
    second square   533946      an eighth of each side
    third square    53394611    a tenth: about 1 km
    half, quarter   5339461132  twice a half (1 south-west, 2 south-east, 3 north-west, 4 north-east): about 250 m
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

MeshSize = Literal[1000, 250]
QUARTERS_PER_LATITUDE, QUARTERS_PER_LONGITUDE = 480, 320
SOUTH, NORTH, WEST, EAST = 20, 46, 122, 154
"""Degrees between which Japan lies, and so the squares that have a code here."""
_FIRST, _SECOND, _THIRD = 320, 40, 4  # quarters on a side


@dataclass(frozen=True)
class Square:
    """A grid square by its edges in degrees. South and west edges belong to it, north and east ones to the next."""

    south: float
    west: float
    north: float
    east: float


def encode_mesh(latitude: Decimal | float | str, longitude: Decimal | float | str, size_m: MeshSize = 1000) -> str:
    """The code of the third square (1000 m, 8 digits) or its quarter (250 m, 10 digits) around a place (JGD2011, WGS 84).

    Raises `ValueError` for what is no number, or a place outside of Japan (20–46° N, 122–154° E).
    """
    north, east = _exact(latitude), _exact(longitude)
    if not (SOUTH <= north < NORTH and WEST <= east < EAST):
        raise ValueError(f"{latitude}, {longitude} lies outside of Japan")
    y, x = int(north * QUARTERS_PER_LATITUDE), int((east - 100) * QUARTERS_PER_LONGITUDE)
    first = f"{y // _FIRST:02d}{x // _FIRST:02d}"
    second = f"{y % _FIRST // _SECOND}{x % _FIRST // _SECOND}"
    third = f"{y % _SECOND // _THIRD}{x % _SECOND // _THIRD}"
    if size_m == 1000:
        return first + second + third
    y, x = y % _THIRD, x % _THIRD
    return f"{first}{second}{third}{y // 2 * 2 + x // 2 + 1}{y % 2 * 2 + x % 2 + 1}"


def decode_mesh(code: str) -> Square:
    """The square of a third (8 digits), half (9) or quarter (10) code. Raises `ValueError` for what is no such code."""
    if not (code.isascii() and code.isdigit() and 8 <= len(code) <= 10):
        raise ValueError(f"{code!r} is no grid square code of 8 to 10 digits")
    digits = [int(digit) for digit in code]
    if max(digits[4:6]) > 7 or not set(digits[8:]) <= {1, 2, 3, 4}:
        raise ValueError(f"{code!r} is no grid square code: a digit is out of its range")
    y = int(code[0:2]) * _FIRST + digits[4] * _SECOND + digits[6] * _THIRD
    x = int(code[2:4]) * _FIRST + digits[5] * _SECOND + digits[7] * _THIRD
    side = _THIRD
    for digit in digits[8:]:
        side //= 2
        y, x = y + (digit - 1) // 2 * side, x + (digit - 1) % 2 * side
    return Square(
        south=y / QUARTERS_PER_LATITUDE,
        west=100 + x / QUARTERS_PER_LONGITUDE,
        north=(y + side) / QUARTERS_PER_LATITUDE,
        east=100 + (x + side) / QUARTERS_PER_LONGITUDE,
    )


def _exact(degrees: Decimal | float | str) -> Decimal:
    try:
        found = degrees if isinstance(degrees, Decimal) else Decimal(str(degrees).strip())
    except ArithmeticError:
        raise ValueError(f"{degrees!r} is no number of degrees") from None
    if not found.is_finite():
        raise ValueError(f"{degrees!r} is no number of degrees")
    return found
