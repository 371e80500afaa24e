"""One demo and one Chromium for all browser tests; without Chromium they are skipped with the reason."""

import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, expect, sync_playwright

from sanpo.ground.embedded import Embedded
from tests.browser.eyes import Reader, read_along
from tests.browser.running import RunningCity, run_demo

ROOT = Path(__file__).resolve().parent.parent.parent
AXE = ROOT / ".cache" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
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


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        reason = f"no Chromium on this machine: none of {', '.join(NAMES)} is found"
        if os.environ.get("SANPO_REQUIRE_BROWSER") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def running(
    browser: Browser, embedded: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningCity]:
    """The demo's city; asks for the browser first, so that nothing is built where the tests are skipped."""
    name = f"browser_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        with run_demo(embedded, name, tmp_path_factory.mktemp("demo")) as city:
            yield city
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="session")
def examined() -> set[str]:
    """Digests of the markup that axe-core has examined."""
    return set()


@pytest.fixture
def sit(browser: Browser, examined: set[str]) -> Iterator[Sit]:
    """Seats somebody at a browser of their own: `sit(width=390, height=844)`."""
    contexts: list[BrowserContext] = []

    def at(width: int = 1280, height: int = 900, *, script: bool = True) -> Reader:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            has_touch=width < 500,
            locale="ja-JP",
            java_script_enabled=script,
            reduced_motion="reduce",
        )
        context.set_default_timeout(TIMEOUT_MS)
        if script:
            context.add_init_script(path=AXE)
        contexts.append(context)
        return read_along(context, examined)

    yield at
    for context in contexts:
        context.close()
