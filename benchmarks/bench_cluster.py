"""What does a cluster cost or save? The same question on Sail with two workers against DuckDB in one process.

Both read the same files, with half of the residents opted in, and their cells are compared before anything is
reported. `times_as_long`: median wall time of the engine call on the cluster over DuckDB's, runs interleaved. `cpu_times`:
the same for CPU seconds, where the cluster's are the server's and the client's together. On one machine both share
its cores, so that this is the price of the cluster, and not yet its gain: that shows when the workers are other machines.
"""

import argparse
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import metered
from bench_question_end_to_end import plan_of
from harness import fresh_city, report

from sanpo.cleanroom.engines import duckdb_engine, spark_engine
from sanpo.cleanroom.plan import Cell, Plan
from sanpo.ground.config import Settings
from tests.cleanroom.spark.servers import NAMES, Server, ServerIsMissing, running  # type: ignore[import-not-found]

CLUSTER = "sail with two workers"
Run = Callable[[], list[Cell]]


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, default=100_000_000)
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--share", type=float, default=0.5)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--server", choices=NAMES, default=CLUSTER)
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="sanpo-bench-") as folder:
        try:
            with running(given.server, Path(folder)) as server:
                figures, rows, threads = measured(server, given)
        except ServerIsMissing as missing:
            sys.exit(f"cluster: {missing}")
    setting = {
        "rows": rows,
        "subjects": given.subjects,
        "share": given.share,
        "threads": threads,
        "server": given.server,
    }
    report("cluster", setting, figures)


def measured(server: Server, given: argparse.Namespace) -> tuple[dict[str, float], int, int]:
    """The figures, the rows of the lake, and DuckDB's threads."""
    limit = {"question_timeout_ms": 3_600_000}
    with fresh_city(**limit) as city:
        rows = metered.fill_lake(city, given.subjects, max(given.rows // given.subjects, 1))
        agreement = metered.published(city)
        metered.grant_share(city, agreement, given.subjects, given.share)
        plan = plan_of(city, agreement)
        figures = compared(plan, city.settings, server, given.rounds)
        return figures, rows, city.settings.question_threads


def compared(plan: Plan, settings: Settings, server: Server, rounds: int) -> dict[str, float]:
    """Medians of both; the first round warms up."""
    on_cluster = replace(settings, engine=server.url)
    runs: dict[str, Run] = {
        "duckdb": lambda: duckdb_engine.run(plan, settings),
        "cluster": lambda: spark_engine.run(plan, on_cluster),
    }
    wall: dict[str, list[float]] = {name: [] for name in runs}
    cpu: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds + 1):
        found = {}
        for name, run in runs.items():
            spent, began = cpu_s(server), time.perf_counter()
            found[name] = run()
            wall[name].append(time.perf_counter() - began)
            cpu[name].append(cpu_s(server) - spent)
        assert sorted(map(repr, found["duckdb"])) == sorted(map(repr, found["cluster"]))
    figures = {f"wall_s_{name}": statistics.median(values[1:]) for name, values in wall.items()}
    figures |= {f"cpu_s_{name}": statistics.median(values[1:]) for name, values in cpu.items()}
    figures["times_as_long"] = figures["wall_s_cluster"] / figures["wall_s_duckdb"]
    figures["cpu_times"] = figures["cpu_s_cluster"] / figures["cpu_s_duckdb"]
    return figures


def cpu_s(server: Server) -> float:
    """CPU seconds of this process, all threads, and of the server."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime + float(server.cpu_s())


if __name__ == "__main__":
    main()
