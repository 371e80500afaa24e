"""A client of NGSIv2 beside the one of NGSI-LD, on the same open broker."""

from typing import Any

import pytest
from litestar.testing import TestClient


@pytest.fixture
def v2(broker: TestClient[Any]) -> TestClient[Any]:
    """Paths begin below `/v2`."""
    found: TestClient[Any] = TestClient(broker.app)
    found.base_url = found.base_url.join("/v2")
    return found
