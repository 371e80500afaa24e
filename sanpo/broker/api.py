"""The door of NGSI-LD (`/ngsi-ld/v1`): the table of all operations, served beside the other districts' handlers."""

from typing import Any

from litestar import Litestar, asgi
from litestar.types import ASGIApp, Receive, Send

from sanpo.broker.ngsi_ld import (
    attributes,
    batches,
    contexts,
    discovery,
    entities,
    identity,
    queries,
    subscriptions,
    temporal,
)
from sanpo.broker.ngsi_ld.routing import Table
from sanpo.broker.ngsi_ld.serving import Server

PATH = "/ngsi-ld/v1"
table = Table()
table.add(entities.OPERATIONS)
table.add(attributes.OPERATIONS)
table.add(batches.OPERATIONS)
table.add(discovery.OPERATIONS)
table.add(queries.OPERATIONS)
table.add(identity.OPERATIONS)
table.add(contexts.OPERATIONS)
table.add(subscriptions.OPERATIONS)
table.add(temporal.OPERATIONS)

server = Server(table)
handlers: list[Any] = [asgi(PATH, is_mount=True, copy_scope=False)(server.__call__)]


def with_shortcut(app: Litestar) -> ASGIApp:
    """The application, with a shorter way to this door: finding and calling a handler costs more than reading an entity."""
    state = app.state

    async def serve(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{PATH}/"):
            await server.serve(state, scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve
