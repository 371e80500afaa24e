"""How many entities can be read, made, changed, found and put in a second over NGSI-LD, with durable commits?

An entity has 6 properties, a relationship and a place. Server, database and client share the machine's cores; the client is
one process that only sends and counts. Batches come over two connections at once. Published for comparison: Orion-LD on
1 CPU beside a database of 4 to 8 CPUs 1,800 updates and 4,200 reads a second; Stellio on 8 vCPU 241 creations and 36
filtered queries; Scorpio on 4 vCPU 223 upserts and 311 reads.
"""

import argparse
import itertools
import json
import random
import selectors
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import psycopg
from harness import fresh_city, percentile, report, served

Make = Callable[[], bytes]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--entities", type=int, default=100_000)
    options.add_argument("--connections", type=int, default=16)
    options.add_argument("--seconds", type=float, default=5)
    given = options.parse_args()
    with fresh_city(broker_open=True, mode="test") as city, served(city.settings):
        port, figures = city.settings.port, {}
        figures["batch_upsert_per_s"] = _fill(port, given.entities)
        with psycopg.connect(city.settings.database_owner_url, autocommit=True) as owner:
            owner.execute("analyze broker.entities")  # what autovacuum does within a minute
            began = time.perf_counter()
            while owner.execute("select 1 from broker.writes limit 1").fetchone():
                time.sleep(0.1)
            figures["history_spread_after_s"] = round(time.perf_counter() - began, 1)
        for name, (make, status) in _kinds(given.entities).items():
            _fire(port, make, status, given.connections, 1)
            latencies, seconds = _fire(port, make, status, given.connections, given.seconds)
            figures[f"{name}_per_s"] = round(len(latencies) / seconds)
            for percent in (50, 95, 99):
                figures[f"{name}_p{percent}_ms"] = round(percentile(latencies, percent / 100) * 1000, 2)
    report("entities", {"entities": given.entities, "connections": given.connections}, figures)


def _kinds(count: int) -> dict[str, tuple[Make, bytes]]:
    chance, new = random.Random(1), itertools.count()

    def some() -> str:
        return f"/entities/urn:ngsi-ld:Vehicle:{chance.randrange(count):07d}"

    return {
        "retrieve": (lambda: _request("GET", some()), b"200"),
        "create": (lambda: _request("POST", "/entities", _entity(next(new), "Car")), b"201"),
        "partial_update": (
            lambda: _request("PATCH", f"{some()}/attrs/speed", {"value": chance.randrange(120), "observedAt": AT}),
            b"204",
        ),
        "query": (
            lambda: _request("GET", f"/entities?type=Vehicle&q=speed%3E{chance.randrange(100)}&limit=20"),
            b"200",
        ),
    }


AT = "2026-04-01T00:00:00Z"


def _entity(number: int, kind: str = "Vehicle") -> dict[str, Any]:
    values = {"heading": number % 360, "brandName": "Mercedes", "fuelLevel": number * 7 % 100 / 100, "category": "bus"}
    return {
        "id": f"urn:ngsi-ld:{kind}:{number:07d}",
        "type": kind,
        "speed": {"type": "Property", "value": number % 120, "unitCode": "KMH", "observedAt": AT},
        "status": {"type": "Property", "value": "onRoute", "observedAt": AT},
        **{name: {"type": "Property", "value": value} for name, value in values.items()},
        "isParked": {"type": "Relationship", "object": f"urn:ngsi-ld:OffStreetParking:{number % 50}"},
        "location": {
            "type": "GeoProperty",
            "value": {"type": "Point", "coordinates": [135.9 + number % 1000 / 10_000, 35.6 + number % 777 / 10_000]},
        },
    }


def _request(method: str, path: str, body: Any = None) -> bytes:
    data = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
    head = f"{method} /ngsi-ld/v1{path} HTTP/1.1\r\nHost: city\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n"
    return f"{head}\r\n".encode() + data


def _fill(port: int, count: int, size: int = 10_000) -> int:
    """Puts all entities in batches over two connections; returns how many a second."""
    starts = range(0, count, size)
    bodies = [
        _request("POST", "/entityOperations/upsert", [_entity(at) for at in range(start, min(start + size, count))])
        for start in starts
    ]
    waiting = iter(bodies)
    lock = threading.Lock()

    def send() -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            while True:
                with lock:
                    body = next(waiting, None)
                if body is None:
                    return
                connection.sendall(body)
                answer = _answer(connection)
                assert answer[9:12] == b"201", answer[:300]

    threads = [threading.Thread(target=send) for _ in range(2)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(count / (time.perf_counter() - began))


def _answer(connection: socket.socket) -> bytes:
    found = b""
    while not _is_whole(found):
        found += connection.recv(1 << 20)
    return found


def _is_whole(data: bytes) -> bool:
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = data[:end].lower()
    at = head.find(b"content-length:")
    length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
    return len(data) >= end + 4 + length


def _fire(port: int, make: Make, status: bytes, connections: int, seconds: float) -> tuple[list[float], float]:
    """Sends one request after another on each connection; returns the latencies in seconds, and how long it took."""
    selector = selectors.DefaultSelector()
    latencies: list[float] = []
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(make())
        selector.register(connection, selectors.EVENT_READ, [connection, b"", time.perf_counter()])
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        for key, _ in selector.select(0.1):
            state = key.data
            state[1] += state[0].recv(1 << 16)
            if _is_whole(state[1]):
                assert state[1][9:12] == status, state[1][:300]
                moment = time.perf_counter()
                latencies.append(moment - state[2])
                state[1], state[2] = b"", moment
                state[0].sendall(make())
    took = time.perf_counter() - began
    for key in list(selector.get_map().values()):
        key.data[0].close()
    return latencies, took


if __name__ == "__main__":
    main()
