"""Engines: each takes a plan and gives its cells. DuckDB answers the city in its own processes, Spark Connect hands the
plan to a cluster, the reference is naive and checks both.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from sanpo.cleanroom.domains import Key
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.plan import Cell, Plan
from sanpo.cleanroom.private import BoundedCells, Bounding
from sanpo.ground.config import Settings


class Engine(Protocol):
    """What every engine's module offers."""

    def run(self, plan: Plan, settings: Settings, stopped: Callable[[], bool] | None = None) -> list[Cell]: ...

    def holdings(
        self, plan: Plan, settings: Settings, stopped: Callable[[], bool] | None = None
    ) -> dict[tuple[Any, ...], dict[int, int]]: ...

    def run_bounded(
        self,
        plan: Plan,
        keys: Sequence[Key],
        bounding: Bounding,
        settings: Settings,
        stopped: Callable[[], bool] | None = None,
    ) -> BoundedCells: ...


def engine_of(settings: Settings) -> Engine:
    """The engine that the setting `engine` names. Raises `EngineIsNotInstalled`."""
    if settings.engine == "duckdb":
        return duckdb_engine
    from sanpo.cleanroom.engines import spark_client, spark_engine  # what it stands on is an optional extra

    spark_client.check_installed()
    return spark_engine
