"""A city for the lake, which needs no database: files and the catalogue are all there is."""

from pathlib import Path

import pytest

from sanpo import app
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.db import Database
from sanpo.ground.keys import open_keys
from sanpo.ground.outbox import Outbox
from sanpo.ground.plugins import load_plugins
from sanpo.ground.words import load_words


@pytest.fixture
def city(tmp_path: Path, clock: FixedClock) -> City:
    settings = Settings(mode="test", home=tmp_path)
    keys = open_keys(tmp_path, "", demo=True)
    return City(settings, Database("never opened"), clock, keys, load_words(app.packages()), load_plugins(), Outbox())
