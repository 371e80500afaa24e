"""`sanpo broker flow`: what it says to people and to programs."""

import json
from collections.abc import Callable

from typer.testing import Result

from sanpo.ground.city import City


def test_flow_says_how_many_it_moved(city: City, command: Callable[..., Result]) -> None:
    assert json.loads(command(city, "flow", "--json").stdout) == {"moved": 0}
    told = command(city, "flow")
    assert (told.exit_code, "moved" in told.stdout) == (0, True)
