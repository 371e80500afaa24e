"""How many observations can be stored in a second, and how many aggregates of 10,000 of them can be asked for?

Over HTTP, with durable commits, two connections at once; server, database and client share the machine's cores.
"""

import argparse
import http.client
import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from harness import fresh_city, percentile, report, served

ROOT = "/ngsi-ld/v1"
SINCE = datetime(2026, 4, 1, tzinfo=UTC)
CONNECTIONS = 2
POINTS = 10_000


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--entities", type=int, default=1_000)
    options.add_argument("--rows", type=int, default=20_000)
    options.add_argument("--batches", type=int, default=20)
    options.add_argument("--seconds", type=float, default=5)
    given = options.parse_args()
    with fresh_city(broker_open=True, mode="test") as city, served(city.settings):
        port = city.settings.port
        _send(
            _connect(port),
            "POST",
            "/entityOperations/create",
            [_meter(each) for each in (*range(given.entities), "long")],
        )
        bodies = [_batch(number, given.rows, given.entities) for number in range(given.batches)]
        _, seconds = _fire(port, [("POST", "/temporal/entityOperations/observations", each) for each in bodies])
        figures = {"observations_per_s": round(given.rows * given.batches / seconds)}
        _send(_connect(port), "POST", "/temporal/entityOperations/observations", {"observations": _points()})
        span = "timerel=between&timeAt=2026-04-01T00:00:00Z&endTimeAt=2026-04-08T00:00:00Z&attrs=power"
        hourly = f"{span}&options=aggregatedValues&aggrMethods=avg,max&aggrPeriodDuration=PT1H"
        asked = {
            "aggregate": hourly,
            "all_methods": hourly.replace("avg,max", "totalCount,distinctCount,sum,avg,min,max,stddev,sumsq"),
            "last_100": f"{span}&lastN=100",
            "rows": f"{span}&options=temporalValues",
        }
        for name, query in asked.items():
            path = f"/temporal/entities/urn:a:long?{query}"
            latencies, seconds = _fire(port, [("GET", path, None)], given.seconds)
            figures[f"{name}_per_s"] = round(len(latencies) / seconds)
            figures[f"{name}_p95_ms"] = round(percentile(latencies, 0.95) * 1000, 1)
    report("temporal", {"entities": given.entities, "rows": given.rows, "points": POINTS}, figures)


def _meter(number: int | str) -> Any:
    return {"id": f"urn:a:{number}", "type": "Meter", "energy": 0, "voltage": 230, "name": f"meter {number}"}


def _batch(number: int, rows: int, entities: int) -> Any:
    at = (SINCE + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"observations": [[f"urn:a:{each % entities}", "energy", each + 0.5, at] for each in range(rows)]}


def _points() -> list[Any]:
    return [
        ["urn:a:long", "power", each % 977 + 0.25, (SINCE + timedelta(minutes=each)).strftime("%Y-%m-%dT%H:%M:%SZ")]
        for each in range(POINTS)
    ]


def _connect(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=60)


def _send(conn: http.client.HTTPConnection, method: str, path: str, body: Any) -> None:
    text = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
    conn.request(method, ROOT + path, text, {"content-type": "application/json"})
    answer = conn.getresponse()
    found = answer.read()
    if answer.status >= 300:
        raise RuntimeError(f"{answer.status} {found[:200]!r}")


def _fire(port: int, requests: list[Any], seconds: float | None = None) -> tuple[list[float], float]:
    """All requests once, or over and over for some seconds; returns latencies and how long it took."""
    ready = [(method, path, None if body is None else json.dumps(body).encode()) for method, path, body in requests]
    latencies: list[float] = []
    began = time.perf_counter()  # bodies are made before

    def work() -> None:
        conn = _connect(port)
        while True:
            if seconds is None:
                try:
                    request = ready.pop()
                except IndexError:
                    return
            elif time.perf_counter() - began > seconds:
                return
            else:
                request = ready[0]
            start = time.perf_counter()
            _send(conn, *request)
            latencies.append(time.perf_counter() - start)

    workers = [threading.Thread(target=work) for _ in range(CONNECTIONS)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    return latencies, time.perf_counter() - began


if __name__ == "__main__":
    main()
