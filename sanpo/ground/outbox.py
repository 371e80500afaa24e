"""The outbox: work that must follow a change is queued in the change's own transaction. No commit, no event.

The queue is procrastinate's, in the schema `ground` of the same database.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import procrastinate
import psycopg

if TYPE_CHECKING:
    from sanpo.ground.db import Transaction


@dataclass(frozen=True)
class Outbox:
    """Defers jobs by name; the names are registered by the districts' `jobs.py` and run by `sanpo worker`."""

    app: procrastinate.App = field(
        default_factory=lambda: procrastinate.App(connector=procrastinate.SyncPsycopgConnector())
    )

    def publish(self, tx: "Transaction", task: str, payload: dict[str, Any], lock: str | None = None) -> None:
        """Queues `task` inside `tx`. Jobs with the same `lock` run one after another, in the order they were queued.

        Raises psycopg's own error where the connection is lost, so that it is told as any other loss of the database.
        """
        try:
            self.app.configure_task(task, connection=tx.conn, lock=lock).defer(**payload)
        except procrastinate.exceptions.ConnectorException as error:
            if isinstance(error.__cause__, psycopg.OperationalError):
                raise error.__cause__ from error
            raise


def publish(tx: "Transaction", task: str, payload: dict[str, Any], lock: str | None = None) -> None:
    """Queues `task` with a JSON `payload` in the transaction `tx`; it runs after the commit, or not at all."""
    tx.city.outbox.publish(tx, task, payload, lock)
