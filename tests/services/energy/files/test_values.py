"""Exact energy: the fast way and the slow way agree with plain decimal arithmetic."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.services.energy.files import Reason
from sanpo.services.energy.files.energy_values import lenient, wh_of_kwh, why_no_value
from sanpo.services.energy.files.readings import LARGEST_WH


def wh(text: str) -> int | None:
    values, _ = wh_of_kwh(pa.array([text]))
    result: int | None = values[0].as_py()
    return result


@pytest.mark.parametrize(
    ("kwh", "expected"),
    [
        ("0", 0),
        ("0.01", 10),
        ("2.496873", 2497),
        ("0.0005", 0),  # half goes to the even neighbour
        ("0.0015", 2),
        ("0.0025", 2),
        ("1e-2", 10),
        ("+.5", 500),
        ("5.", 5000),
        ("00.10", 100),
        ("-0", 0),
        ("2147483.647", LARGEST_WH),
        ("0.1" + "0" * 40, 100),
        ("0.0005" + "0" * 40 + "1", 1),
    ],
)
def test_kwh_become_whole_wh(kwh: str, expected: int) -> None:
    assert wh(kwh) == expected
    assert why_no_value(kwh) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.MISSING_VALUE),
        ("nan", Reason.MALFORMED_VALUE),
        ("NaN", Reason.MALFORMED_VALUE),
        ("inf", Reason.MALFORMED_VALUE),
        ("-Infinity", Reason.MALFORMED_VALUE),
        ("1_0", Reason.MALFORMED_VALUE),
        ("0x10", Reason.MALFORMED_VALUE),
        (" 1", Reason.MALFORMED_VALUE),
        ("１", Reason.MALFORMED_VALUE),
        ("1.2.3", Reason.MALFORMED_VALUE),
        ("-0.001", Reason.NEGATIVE_VALUE),
        ("-0.0001", Reason.NEGATIVE_VALUE),
        ("-1e-9", Reason.NEGATIVE_VALUE),
        ("2147483.648", Reason.VALUE_TOO_LARGE),
        ("1e999", Reason.VALUE_TOO_LARGE),
    ],
)
def test_text_without_a_usable_value_says_why(text: str, reason: Reason) -> None:
    assert wh(text) is None
    assert why_no_value(text) is reason


@given(st.decimals(0, 2_000_000, places=8) | st.decimals(0, 10, places=15), st.booleans())
def test_wh_are_those_of_decimal_arithmetic(kwh: Decimal, scientific: bool) -> None:
    text = f"{kwh:E}" if scientific else f"{kwh:f}"
    with localcontext(prec=60):
        assert wh(text) == int((kwh * 1000).quantize(Decimal(1), ROUND_HALF_EVEN))


@given(st.lists(st.sampled_from(["0.1", "0.0004", "x", "", "0." + "0" * 20 + "1", "-1"]), max_size=40))
def test_values_of_a_block_are_those_of_its_rows(texts: list[str]) -> None:
    values, rounded = wh_of_kwh(pa.array(texts, pa.string()))
    assert values.to_pylist() == [wh(text) for text in texts]
    assert rounded.to_pylist() == [wh_of_kwh(pa.array([text]))[1][0].as_py() for text in texts]


@given(st.lists(st.sampled_from(["1", "22", "x", "", "3x"]), max_size=33))
def test_lenient_conversion_leaves_out_only_what_cannot_be(texts: list[str]) -> None:
    found = lenient(pa.array(texts, pa.string()), lambda part: part.cast(pa.int64()))
    assert found.to_pylist() == [int(text) if text.isdecimal() else None for text in texts]
