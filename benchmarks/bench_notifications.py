"""How many changes in a second can be matched against thousands of subscriptions, and how many notifications sent?

Each change is of one entity of a type that one subscription in all is for. Receiver (a process of its own, which answers
each call on a new connection), sender and database share the machine's cores.
"""

import argparse
import multiprocessing
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from harness import fresh_city, report

from sanpo.broker.batches import create_entities
from sanpo.broker.contexts import CORE
from sanpo.broker.entities import Place
from sanpo.broker.sight import OPEN
from sanpo.broker.subscriptions.actions import create_subscription
from sanpo.broker.subscriptions.deliveries import list_deliveries
from sanpo.broker.subscriptions.following import follow
from sanpo.broker.subscriptions.sending import notify_all
from sanpo.ground.actors import System


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--subscriptions", type=int, default=5_000)
    options.add_argument("--changes", type=int, default=5_000)
    options.add_argument("--endpoints", type=int, default=4)
    given = options.parse_args()
    ports: Any = multiprocessing.Queue()
    receivers = [multiprocessing.Process(target=_receive, args=(ports,), daemon=True) for _ in range(given.endpoints)]
    for each in receivers:
        each.start()
    urls = [f"http://127.0.0.1:{ports.get()}/notify" for _ in receivers]
    with fresh_city(mode="test", broker_open=True, broker_allow_hosts="127.0.0.1") as city:
        place = Place(city, OPEN)
        figures = {"subscribe_per_s": _rate(given.subscriptions, lambda: _subscribe(place, given.subscriptions, urls))}
        _change(place, 1, given.subscriptions)
        began = time.perf_counter()
        follow(city)
        figures["first_look_at_all_s"] = round(time.perf_counter() - began, 2)
        notify_all(city)
        _change(place, given.changes, given.subscriptions)
        figures["matched_per_s"] = _rate(given.changes, lambda: follow(city))
        figures["sent_per_s"] = _rate(given.changes, lambda: notify_all(city))
        figures["left"] = len(list_deliveries(city, System("operator")))
    for each in receivers:
        each.terminate()
    report("notifications", vars(given), figures)


def _rate(count: int, act: Any) -> float:
    began = time.perf_counter()
    act()
    return round(count / (time.perf_counter() - began))


def _subscribe(place: Place, count: int, urls: list[str]) -> None:
    for number in range(count):
        body = {
            "type": "Subscription",
            "entities": [{"type": f"Type{number}"}],
            "q": "level>=0",
            "notification": {"endpoint": {"uri": urls[number % len(urls)]}},
        }
        create_subscription(place, body, CORE, None)


def _change(place: Place, count: int, types: int) -> None:
    now = place.now()
    times = {"createdAt": now, "modifiedAt": now}
    level = CORE.expand("level")
    docs = [
        {
            "id": f"urn:ngsi-ld:Thing:{now}:{count}:{number}",
            "type": [CORE.expand_type(f"Type{number % types}")],
            **times,
            "attrs": {level: [{"type": "Property", "value": number, **times}]},
        }
        for number in range(count)
    ]
    create_entities(place, docs)


def _receive(ports: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ports.put(server.server_address[1])
    server.serve_forever()


if __name__ == "__main__":
    main()
