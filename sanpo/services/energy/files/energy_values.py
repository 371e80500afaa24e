"""Exact energy: decimal text to whole watt-hours, without a float in between."""

import re
from collections.abc import Callable
from decimal import ROUND_HALF_EVEN, Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from sanpo.services.energy.files.problems import Reason
from sanpo.services.energy.files.readings import LARGEST_WH

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_EXACT = pa.decimal128(28, 12)
_WH_PER_KWH = pa.scalar(Decimal(1000), pa.decimal128(4, 0))


def wh_of_kwh(texts: pa.StringArray) -> tuple[pa.Int64Array, pa.BooleanArray]:
    """Watt-hours of decimal texts in kWh, null where a text is no usable value; and which of them were rounded.

    More than three decimals are rounded to the nearest Wh, half to even, so that sums do not drift.
    """
    kwh = lenient(texts, lambda part: part.cast(_EXACT))
    exact = pc.multiply(kwh, _WH_PER_KWH)
    nearest = pc.round(exact, ndigits=0, round_mode="half_to_even")
    inside = pc.and_(pc.greater_equal(exact, _scalar(0)), pc.less_equal(exact, _scalar(LARGEST_WH)))
    # `if_else` gives null where the condition is null, which is where the text was no number.
    energy_wh = pc.if_else(inside, nearest, pa.scalar(None, nearest.type)).cast(pa.int64())
    return _with_long_texts(texts, energy_wh, pc.not_equal(exact, nearest).fill_null(False))


def wh_of_decimal(value: Decimal) -> int | Reason:
    """Whole watt-hours of an exact value in Wh, half to even, or why it cannot be one."""
    if not value.is_finite():
        return Reason.MALFORMED_VALUE
    if value < 0:
        return Reason.NEGATIVE_VALUE
    if value > LARGEST_WH:
        return Reason.VALUE_TOO_LARGE
    return int(value.to_integral_value(ROUND_HALF_EVEN))


def why_no_value(text: str) -> Reason | None:
    """The reason why a text of kWh has no place in `wh_of_kwh`, or None where it has."""
    if not text:
        return Reason.MISSING_VALUE
    value = _wh_of_text(text)
    return value if isinstance(value, Reason) else None


def lenient(values: pa.Array, convert: Callable[[pa.Array], pa.Array]) -> pa.Array:
    """`convert` where it works, null where it raises `ArrowInvalid`: halves the array until the bad ones are alone."""
    try:
        return convert(values)
    except pa.ArrowInvalid:
        if len(values) == 1:
            return pa.nulls(1, convert(values.slice(0, 0)).type)
    middle = len(values) // 2
    return pa.concat_arrays([lenient(values.slice(0, middle), convert), lenient(values.slice(middle), convert)])


def _with_long_texts(
    texts: pa.StringArray, energy_wh: pa.Int64Array, rounded: pa.BooleanArray
) -> tuple[pa.Int64Array, pa.BooleanArray]:
    """Takes up the texts that are numbers, but with more digits than the fast way holds."""
    if not energy_wh.null_count:
        return energy_wh, rounded
    values, changed = energy_wh.to_pylist(), rounded.to_pylist()
    for place, text in enumerate(texts.to_pylist()):
        if values[place] is None and isinstance(wh := _wh_of_text(text), int):
            values[place], changed[place] = wh, _exact_wh(text) != wh
    return pa.array(values, pa.int64()), pa.array(changed, pa.bool_())


def _wh_of_text(text: str) -> int | Reason:
    return wh_of_decimal(_exact_wh(text)) if _NUMBER.fullmatch(text) else Reason.MALFORMED_VALUE


def _exact_wh(text: str) -> Decimal:
    return Context(prec=len(text) + 4).multiply(Decimal(text), 1000)


def _scalar(value: int) -> pa.Scalar:
    return pa.scalar(Decimal(value), pa.decimal128(10, 0))
