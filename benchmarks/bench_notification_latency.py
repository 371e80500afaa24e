"""How long after a change does its receiver hear of it, at a steady rate, while one receiver of ten is dead?

The city is served as in production (HTTP workers idle, the worker sends); the writer calls the same actions as the API. Each
change is told to one of ten subscriptions. Writer, worker, receivers and database share the machine's cores.
"""

import argparse
import multiprocessing
import socket
import statistics
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
from harness import fresh_city, report, served

from sanpo.broker.attributes import replace_attribute
from sanpo.broker.batches import create_entities
from sanpo.broker.contexts import CORE
from sanpo.broker.entities import Place
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions.actions import create_subscription

RECEIVERS = 10
WRITERS = 8
LEVEL = CORE.expand("level")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--per-s", type=int, default=500)
    options.add_argument("--seconds", type=int, default=20)
    given = options.parse_args()
    ports: Any = multiprocessing.Queue()
    waits: Any = multiprocessing.Queue()
    receiver = multiprocessing.Process(target=_receive, args=(ports, waits), daemon=True)
    receiver.start()
    heard: list[float] = []
    threading.Thread(target=_hear, args=(waits, heard), daemon=True).start()
    dead = socket.create_server(("127.0.0.1", 0))  # it takes connections, and never answers
    urls = [f"http://127.0.0.1:{ports.get()}/notify"] * (RECEIVERS - 1)
    urls.append(f"http://127.0.0.1:{dead.getsockname()[1]}/notify")
    with fresh_city(mode="test", broker_open=True, broker_allow_hosts="127.0.0.1", http_workers=1) as city:
        place = Place(city, OPEN)
        _prepare(place, urls)
        with served(city.settings):
            began = time.perf_counter()
            changes = _write(place, given.per_s, given.seconds)
            took_s = time.perf_counter() - began
            time.sleep(3)
    receiver.terminate()
    found = list(heard)
    cuts = statistics.quantiles(found, n=100)
    figures = {
        "changes_per_s": round(changes / took_s),
        "told": len(found),
        "expected": changes * (RECEIVERS - 1) // RECEIVERS,
        "p50_ms": round(cuts[49]),
        "p95_ms": round(cuts[94]),
        "p99_ms": round(cuts[98]),
    }
    report("notification_latency", vars(given), figures)


def _hear(waits: Any, heard: list[float]) -> None:
    """Empties the queue at once: a full one would hold up the receiver."""
    while True:
        heard.extend(waits.get())


def _prepare(place: Place, urls: list[str]) -> None:
    now = place.now()
    times = {"createdAt": now, "modifiedAt": now}
    docs = [
        {"id": f"urn:ngsi-ld:Thing:{number}", "type": [CORE.expand_type(f"Type{number}")], **times, "attrs": {}}
        for number in range(len(urls))
    ]
    for doc in docs:
        doc["attrs"] = {LEVEL: [{"type": "Property", "value": 0, **times}]}
    create_entities(place, docs)
    for number, url in enumerate(urls):
        endpoint = {"uri": url, "timeout": 2000}
        body = {"type": "Subscription", "entities": [{"type": f"Type{number}"}], "notification": {"endpoint": endpoint}}
        create_subscription(place, body, CORE, None)


def _write(place: Place, per_s: int, seconds: int) -> int:
    """Changes entities in turn, each at its time, by as many threads as a worker has; returns how many changes it were.
    The value is the moment of its writing."""
    began = time.time()
    count = per_s * seconds

    def work(first: int) -> None:
        for number in range(first, count, WRITERS):
            wait_s = began + number / per_s - time.time()
            if wait_s > 0:
                time.sleep(wait_s)
            now = place.now()
            instance = {"type": "Property", "value": time.time(), "createdAt": now, "modifiedAt": now}
            replace_attribute(place, f"urn:ngsi-ld:Thing:{number % RECEIVERS}", LEVEL, [instance])

    threads = [threading.Thread(target=work, args=(first,)) for first in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count


def _receive(ports: Any, waits: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            now = time.time()
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()
            waits.put([1000 * (now - each["level"]["value"]) for each in msgspec.json.decode(body)["data"]])

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ports.put(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
