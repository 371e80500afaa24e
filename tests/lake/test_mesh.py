"""Grid squares against published codes, and against themselves: every place lies in the square of its code."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanpo.lake.mesh import EAST, NORTH, SOUTH, WEST, decode_mesh, encode_mesh

LATITUDES = st.decimals(SOUTH, NORTH, places=7).filter(lambda degrees: degrees < NORTH)
LONGITUDES = st.decimals(WEST, EAST, places=7).filter(lambda degrees: degrees < EAST)

PUBLISHED = [
    # Tokyo Tower and a place in Kyoto, from the documentation of the package jismesh.
    ("35.658581", "139.745433", "53393599"),
    ("34.987574", "135.759363", "52353680"),
    # The code of 125 m that is published for Tokyo's city hall is 53394525323: this and its quarter are its beginnings.
    ("35.689450", "139.691774", "53394525"),
    ("35.689450", "139.691774", "5339452532"),
]


@pytest.mark.parametrize(("latitude", "longitude", "code"), PUBLISHED)
def test_published_place_has_its_published_code(latitude: str, longitude: str, code: str) -> None:
    assert encode_mesh(latitude, longitude, 1000 if len(code) == 8 else 250) == code
    assert encode_mesh(float(latitude), float(longitude), 1000 if len(code) == 8 else 250) == code


def test_published_code_has_its_published_edges() -> None:
    square = decode_mesh("53393599")  # jismesh: south-west 35.6583333333, 139.7375, north-east 35.6666666667, 139.75
    assert (square.south, square.west) == pytest.approx((35 + 39.5 / 60, 139.7375))
    assert (square.north, square.east) == pytest.approx((35.6666666667, 139.75))


def test_halves_and_quarters_count_from_south_west_to_north_east() -> None:
    # Sinfonica's illustration: of 5339-23-43 the half 1 is the south-west one; 15″ by 22.5″.
    whole, half = decode_mesh("53392343"), decode_mesh("533923431")
    assert (half.south, half.west) == (whole.south, whole.west)
    assert (half.north - half.south, half.east - half.west) == pytest.approx((15 / 3600, 22.5 / 3600))
    corners = {digit: decode_mesh(f"53392343{digit}") for digit in "1234"}
    assert corners["2"].west == corners["4"].west > corners["1"].west == corners["3"].west
    assert corners["3"].south == corners["4"].south > corners["1"].south == corners["2"].south


def test_south_west_corner_of_a_first_square_begins_all_its_parts() -> None:
    assert encode_mesh("36", "138", 250) == "5438000011"
    assert encode_mesh("35.9999999", "137.9999999", 250) == "5337779944"


def test_edge_belongs_to_the_square_north_and_east_of_it_although_it_is_no_binary_number() -> None:
    # 34.8° is 16,704 quarters exactly, and so begins one; as a binary fraction it times 480 falls below.
    assert decode_mesh(encode_mesh("34.8", "138.25", 250)).south == pytest.approx(34.8)
    assert encode_mesh(34.8, 138.25, 250) == encode_mesh(Decimal("34.8"), Decimal("138.25"), 250)


@given(LATITUDES, LONGITUDES)
def test_place_lies_in_the_square_of_its_code(latitude: Decimal, longitude: Decimal) -> None:
    for size, tall in ((1000, 30), (250, Decimal("7.5"))):
        code = encode_mesh(latitude, longitude, size)  # type: ignore[arg-type]
        square = decode_mesh(code)
        slack = 1e-9  # edges are given as binary fractions
        assert square.south - slack <= float(latitude) < square.north + slack
        assert square.west - slack <= float(longitude) < square.east + slack
        assert (square.north - square.south) * 3600 == pytest.approx(float(tall))
        assert (square.east - square.west) * 3600 == pytest.approx(float(tall) * 1.5)


@given(LATITUDES, LONGITUDES)
def test_code_of_a_squares_middle_is_the_square(latitude: Decimal, longitude: Decimal) -> None:
    code = encode_mesh(latitude, longitude, 250)
    square = decode_mesh(code)
    assert encode_mesh((square.south + square.north) / 2, (square.west + square.east) / 2, 250) == code
    assert code.startswith(encode_mesh(latitude, longitude, 1000))


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [
        ("0", "0"),
        ("46", "140"),
        ("35", "154"),
        ("19.9", "140"),
        ("nan", "139"),
        ("35,6", "139"),
        ("", ""),
        ("inf", "1"),
    ],
)
def test_place_outside_of_japan_has_no_code(latitude: str, longitude: str) -> None:
    with pytest.raises(ValueError):
        encode_mesh(latitude, longitude)


@pytest.mark.parametrize("code", ["", "5339", "533946", "53398599", "53393899", "533935995", "5339359910", "5339359X"])
def test_what_is_no_code_is_refused(code: str) -> None:
    with pytest.raises(ValueError):
        decode_mesh(code)
