"""How the tests are dealt out to the workers of `pytest -n`: what shares a city stays together, what takes longest starts
first, so that the workers end together."""

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

TOGETHER = ("tests/browser/", "tests/crash/", "tests/attacks/", "tests/cleanroom/")
"""Folders whose tests share what is dear to build, or the machine itself. Any other file is a piece of work of its own."""
ALONE = ("tests/cleanroom/test_fuzz.py",)
"""Files of which each test is a piece of work of its own: they share nothing, and take long."""
LONG_ONES = (*TOGETHER, "tests/journeys/", "tests/services/", "tests/lake/", "tests/people/", "tests/consent/")


class Distribution(LoadScopeScheduling):
    """xdist's scheduler of pieces of work, with pieces of our own in the order of the collection."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(ALONE):
            return nodeid
        return next(filter(nodeid.startswith, TOGETHER), nodeid.partition("::")[0])


def place(item: pytest.Item) -> int:
    """The place of a test's folder in the order of work."""
    return next((at for at, folder in enumerate(LONG_ONES) if item.nodeid.startswith(folder)), len(LONG_ONES))
