"""Kill -9 of the HTTP server or of one of its workers: nothing acknowledged is lost, nothing is left behind, it restarts."""

import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from sanpo.ground.actors import Resident
from sanpo.ground.city import City
from sanpo.ground.csrf import csrf_token
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.crash.books import check_books
from tests.crash.scene import Scene, kill
from tests.crash.worker import Decided
from tests.world import OPERATOR

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parent.parent.parent
BROWSERS = 3


def test_server_killed_under_load_loses_nothing_and_leaves_nobody(scene: Scene) -> None:
    port, said = free_port(), list[Decided]()
    with scene.city() as city:
        calls = [signed_in(city, resident) for resident in scene.wavering]
    with served(scene, port) as server:
        family = psutil.Process(server.pid).children(recursive=True)
        assert len(family) >= 3, "two HTTP workers and the worker of jobs"
        with browsers(scene, port, calls[:60], said):
            time.sleep(random.Random(1).uniform(0.1, 0.4))
            server.kill()
        _, alive = psutil.wait_procs(family, timeout=15)
        assert alive == [], "a worker of a server that is gone would go on answering beside the next one"
    assert len(said) > 0, "some decisions were acknowledged before the end"
    check_books(scene, said, unsaid=BROWSERS)

    with served(scene, port) as server:
        workers = [
            child for child in psutil.Process(server.pid).children() if "--multiprocessing-fork" in child.cmdline()
        ]
        with browsers(scene, port, calls[60:], said):
            time.sleep(0.1)
            kill(workers[0])
        wait_until_up(port)
        assert server.poll() is None, "the server outlives a worker"
    check_books(scene, said, unsaid=2 * BROWSERS)
    assert server.returncode == 0


def test_embedded_database_ends_with_its_last_user_also_after_a_kill(scene: Scene) -> None:
    """A process that was killed cannot sign off; nor may its number, when it is another's, keep the database up."""
    postgres = scene.settings.home / "postgres"
    program = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom sanpo.ground.embedded import start_embedded\n"
        "start_embedded(Path(sys.argv[1]))\nos.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", program, str(scene.settings.home)], check=False, timeout=60, cwd=ROOT
    )
    assert killed.returncode == -signal.SIGKILL
    server = psutil.Process(int((postgres / "postmaster.pid").read_text().split("\n", 1)[0]))
    scene.kill_database()
    assert not server.is_running()
    assert len(json.loads((postgres / ".handle_pids.json").read_text())) == 1
    restarted = psutil.Process(int((postgres / "postmaster.pid").read_text().split("\n", 1)[0]))
    scene.stop()
    psutil.wait_procs([restarted], timeout=30)
    assert not restarted.is_running()
    # The machine lost power: the file names a process that is now something else altogether.
    (postgres / "postmaster.pid").write_text(f"{os.getpid()}\n{postgres}\n1\n5432\n{postgres}\n\n1 1\nready\n")
    scene.start()
    check_books(scene, [], unsaid=1_000)


@contextmanager
def served(scene: Scene, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """`sanpo serve` on the scene's home; it joins the scene's database as a server does at its start."""
    given = {
        "SANPO_MODE": "test",
        "SANPO_HOME": str(scene.settings.home),
        "SANPO_PORT": str(port),
        "SANPO_ORIGIN": f"http://127.0.0.1:{port}",
        "SANPO_LOG_LEVEL": "warning",
    }
    server = subprocess.Popen([sys.executable, "-m", "sanpo", "serve"], env={**os.environ, **given}, cwd=ROOT)
    try:
        wait_until_up(port)
        yield server
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
        server.wait(30)


@contextmanager
def browsers(
    scene: Scene, port: int, calls: Sequence[tuple[int, dict[str, str]]], said: list[Decided]
) -> Iterator[None]:
    """Residents who agree, some at once, until all have or the server is gone."""
    path = f"/api/consent/grants/{scene.agreement.agreement_id}"

    def work(part: Sequence[tuple[int, dict[str, str]]]) -> None:
        for subject_no, headers in part:
            try:
                line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
                line.request("POST", path, b'{"decision":"give"}', headers)
                reply = line.getresponse()
                body = reply.read()
            except (OSError, http.client.HTTPException):
                continue
            if reply.status == 200:
                done = json.loads(body)
                said.append(Decided(done["event_id"], done["entry_id"], subject_no, done["state"]))

    threads = [threading.Thread(target=work, args=(calls[at::BROWSERS],)) for at in range(BROWSERS)]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def signed_in(city: City, resident: Resident) -> tuple[int, dict[str, str]]:
    """The resident's number and the headers of a session."""
    cookie = sign_in_with_link(city, make_sign_in_link(city, OPERATOR, resident.resident_id).token).token
    token = csrf_token(city.keys, cookie)
    return resident.subject_no, {"Cookie": f"sanpo={cookie}", "X-CSRF-Token": token, "Content-Type": "application/json"}


def wait_until_up(port: int) -> None:
    """Returns when /health answers 200."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            line = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            line.request("GET", "/health")
            if line.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    raise TimeoutError("the server did not come up")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
