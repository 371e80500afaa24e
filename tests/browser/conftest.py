"""One demo and one Chromium for all browser tests; without Chromium they are skipped with the reason.

Both end with this folder's last test, before any other test of the worker begins: as long as Playwright is open, it runs
an event loop in the thread of the tests, and nothing else can run one there.
"""

import asyncio
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from sanpo.ground.embedded import Embedded
from tests.browser.eyes import Reader, Size, read_along
from tests.browser.running import Demo, RunningCity, run_demo

# The first is Chromium without the windows of a desktop: half the work for the same pages.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
)
TIMEOUT_MS = 15_000

Sit = Callable[..., Reader]


@pytest.fixture(scope="package")
def chromium() -> str:
    """Where Chromium is."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no Chromium on this machine: none of {', '.join(NAMES)} is found"
        if os.environ.get("SANPO_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="package")
def demo(chromium: str, embedded: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo as it starts; asks for Chromium first, so that nothing is built where the tests are skipped."""
    name = f"browser_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        with run_demo(embedded, name, tmp_path_factory.mktemp("demo")) as started:
            yield started
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="package")
def browser(chromium: str, demo: Demo) -> Iterator[Browser]:
    """Chromium, launched while the demo is built."""
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield launched
        launched.close()
    assert asyncio._get_running_loop() is None, "the thread of the tests is left without a loop"


@pytest.fixture(scope="package")
def running(demo: Demo, browser: Browser) -> Iterator[RunningCity]:
    """The demo's city once it answers."""
    with demo.city() as city:
        yield city


@pytest.fixture(scope="package")
def seats(browser: Browser) -> list[Reader]:
    """Browsers that tests take turns at: the first page of a new one costs more than ten that follow."""
    return []


@pytest.fixture
def sit(browser: Browser, seats: list[Reader]) -> Iterator[Sit]:
    """Seats somebody whom nobody knows yet at a browser of this size: `sit(PHONE)`. axe-core looks at their pages too,
    unless told not to."""
    free, taken = list(seats), []

    def at(size: Size, *, axe: bool = True, script: bool = True) -> Reader:
        if not script:
            reader = read_along(_context(browser, java_script_enabled=False), set())
            reader.fit(size)
            return reader
        if not free:
            free.append(read_along(_context(browser), seats[0].examined if seats else set()))
            seats.append(free[0])
        reader = free.pop()
        taken.append(reader)
        reader.fit(size)
        reader.axe = axe
        return reader

    yield at
    for reader in taken:
        reader.leave()


def _context(browser: Browser, **more: Any) -> BrowserContext:
    context = browser.new_context(locale="ja-JP", reduced_motion="reduce", **more)
    context.set_default_timeout(TIMEOUT_MS)
    return context
