"""Fixtures of the journal's tests: sets of subjects, and the web shell with the journal's own doors alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jinja2
import pytest
from litestar.testing import TestClient

from sanpo.ground.actors import Actor, Anonymous
from sanpo.ground.city import City
from sanpo.ground.web import WebParts, create_web
from sanpo.journal import SubjectSet, api


@pytest.fixture
def people() -> Callable[..., SubjectSet]:
    """A set of these subjects out of `universe`."""

    def make(*numbers: int, universe: int = 2000) -> SubjectSet:
        bits = sum(1 << number for number in numbers).to_bytes(-(-universe // 8), "little")
        return SubjectSet(bits, universe, len(numbers))

    return make


@pytest.fixture
def http(city: City, tmp_path: Path) -> Iterator[Callable[..., TestClient[Any]]]:
    """HTTP clients that are signed in as the given actor."""
    opened: list[TestClient[Any]] = []

    def make(actor: Actor | None = None) -> TestClient[Any]:
        parts = WebParts(api.handlers, jinja2.Environment(), lambda city, **given: actor or Anonymous(), tmp_path)
        opened.append(TestClient(create_web(city, parts), raise_server_exceptions=False).__enter__())
        return opened[-1]

    yield make
    for client in opened:
        client.__exit__(None, None, None)
