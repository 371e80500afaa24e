"""The servers, one after the other: each is started once for a module's tests."""

from collections.abc import Iterator

import pytest

from tests.cleanroom.spark.servers import NAMES, SAIL, Server, ServerIsMissing, running


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Sail, Sail with two workers, Apache Spark."""
    yield from _started(request.param, tmp_path_factory)


@pytest.fixture(scope="module", params=SAIL)
def sail(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Sail, Sail with two workers: what would take Apache Spark too long."""
    yield from _started(request.param, tmp_path_factory)


def _started(name: str, folders: pytest.TempPathFactory) -> Iterator[Server]:
    try:
        with running(name, folders.mktemp("server")) as server:
            yield server
    except ServerIsMissing as missing:
        pytest.skip(str(missing))
