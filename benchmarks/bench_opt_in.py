"""How many residents can opt in per second, over HTTP, with a durable commit, a signed receipt and a journal entry each?

Server, database and client share the machine's cores. Those who decide come in no order from a whole city, as after a
letter to all households; the bits of neighbours in number share a row, which one grant holds until its commit. The
Australian Consumer Data Right asks 450 calls a second of a large data holder. Alternative in the same run: the same
action called in this process without HTTP.
"""

import argparse
import random
import threading
import time

from harness import Wire, fresh_city, percentile, report, served

from sanpo.consent import Decision, decide
from sanpo.ground.actors import Resident
from sanpo.ground.csrf import csrf_token
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.world import SIMULATOR, World  # type: ignore[import-not-found]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--population", type=int, default=120_000)
    options.add_argument("--residents", type=int, default=4000)
    options.add_argument("--connections", type=int, default=16)
    given = options.parse_args()
    with fresh_city() as city:
        world = World(city)
        agreement = world.agreement(term={"first_day": "2020-01-01", "last_day": "2090-01-01", "grant_days": 365})
        residents = random.Random(1).sample(world.residents(given.population), given.residents)
        half = len(residents) // 2
        began = time.perf_counter()
        for resident in residents[:500]:
            decide(city, resident, agreement.agreement_id, Decision.GIVE)
        in_process_per_s = 500 / (time.perf_counter() - began)
        calls = [_call(city, resident, agreement) for resident in residents[half:]]
        with served(city.settings):
            seconds, latencies, failed = _fire(city.settings.port, calls, given.connections)
    report(
        "opt_in",
        {
            "population": given.population,
            "residents": len(calls),
            "connections": given.connections,
            "http_workers": city.settings.http_workers,
        },
        {
            "per_s": len(calls) / seconds,
            "p50_ms": percentile(latencies, 0.5) * 1000,
            "p95_ms": percentile(latencies, 0.95) * 1000,
            "failed": failed,
            "in_process_per_s": in_process_per_s,
        },
    )


def _call(city: object, resident: Resident, agreement: object) -> tuple[str, dict[str, str], bytes]:
    token = sign_in_with_link(city, make_sign_in_link(city, SIMULATOR, resident.resident_id).token).token  # type: ignore[arg-type]
    headers = {
        "Cookie": f"sanpo={token}",
        "X-CSRF-Token": csrf_token(city.keys, token),  # type: ignore[attr-defined]
        "Content-Type": "application/json",
    }
    path = f"/api/consent/grants/{agreement.agreement_id}"  # type: ignore[attr-defined]
    return path, headers, f'{{"decision":"give","sha256":"{agreement.sha256}"}}'.encode()  # type: ignore[attr-defined]


def _fire(
    port: int, calls: list[tuple[str, dict[str, str], bytes]], connections: int
) -> tuple[float, list[float], int]:
    latencies: list[float] = []
    failed = 0

    def work(part: list[tuple[str, dict[str, str], bytes]]) -> None:
        nonlocal failed
        wire = Wire(port)
        for path, headers, body in part:
            began = time.perf_counter()
            status, answer = wire.call("POST", path, headers, body)
            latencies.append(time.perf_counter() - began)
            if status != 200 or b'"recorded"' not in answer:
                failed += 1

    warm = calls[: connections * 5]
    work(warm)
    latencies.clear()
    rest = calls[len(warm) :]
    threads = [threading.Thread(target=work, args=(rest[at::connections],)) for at in range(connections)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = (time.perf_counter() - began) * len(calls) / len(rest)
    return seconds, latencies, failed


if __name__ == "__main__":
    main()
