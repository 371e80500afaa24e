"""National numbers (マイナンバー, 住民票コード) are refused: by the name of a column, and by what is in it."""

import re
import unicodedata
from collections.abc import Iterable

_NAMES = (
    "マイナンバー",
    "個人番号",
    "住民票コード",
    "mynumber",
    "individualnumber",
    "kojinbango",
    "juminhyocode",
    "nationalnumber",
    "nationalid",
    "socialsecurity",
)
_TWELVE_DIGITS = re.compile(r"[0-9]{12}")
_FEWEST = 3
_WEIGHTS = (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)


def is_national_name(column: str) -> bool:
    """Whether a column of this name would hold national numbers, however it is spaced and written."""
    plain = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", column).casefold())
    return any(name in plain for name in _NAMES)


def look_national(values: Iterable[str]) -> bool:
    """Whether more than half of the values are valid numbers of the マイナンバー system; of any others one in eleven is.

    Fewer than three values do not tell. Twelve digits, the last of them a check digit: 平成26年総務省令第85号 第5条.
    """
    valid = [_is_valid(value) for value in values]
    return len(valid) >= _FEWEST and sum(valid) * 2 > len(valid)


def _is_valid(value: str) -> bool:
    if not _TWELVE_DIGITS.fullmatch(value):
        return False
    rest = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, value, strict=False)) % 11
    return int(value[11]) == (0 if rest <= 1 else 11 - rest)
