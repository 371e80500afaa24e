"""One city with durable commits for each file of crash tests."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Iterator[Scene]:
    # Not pytest's own folder: another run closes that to the user as whom a root's PostgreSQL runs.
    with tempfile.TemporaryDirectory(prefix="sanpo-crash-") as folder:
        made = Scene(Path(folder))
        try:
            with made.owner() as conn:
                for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                    row = conn.execute("select current_setting(%s)", (setting,)).fetchone()
                    assert row == ("on",), setting
            yield made
        finally:
            made.stop()
