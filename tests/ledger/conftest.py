"""A city with two ledgers."""

import pytest

from sanpo.ground.city import City
from sanpo.ledger import Ledger, open_ledger
from tests.world import OPERATOR

YEN = Ledger(1, "JPY", 0, "円")
POINTS = Ledger(2, "XXX", 2, "ポイント")


@pytest.fixture
def bank(city: City) -> City:
    """The city with a ledger of yen and one of points."""
    open_ledger(city, OPERATOR, YEN)
    open_ledger(city, OPERATOR, POINTS)
    return city
