"""The doors of NGSI-LD (`/ngsi-ld/v1`) and NGSIv2 (`/v2`): their operations, served beside the other districts' handlers."""

from typing import Any

from litestar import Litestar, asgi
from litestar.types import ASGIApp, Receive, Send

from sanpo.broker.api_ingest import post_lines
from sanpo.broker.ngsi_ld import (
    attributes,
    batches,
    contexts,
    discovery,
    entities,
    entity_maps,
    identity,
    queries,
    registrations,
    source_subscriptions,
    subscriptions,
    temporal,
)
from sanpo.broker.ngsi_ld.routing import Table
from sanpo.broker.ngsi_ld.serving import Server
from sanpo.broker.ngsi_v2 import attributes as attributes_of_v2
from sanpo.broker.ngsi_v2 import entities as entities_of_v2
from sanpo.broker.ngsi_v2 import entry, operations, types
from sanpo.broker.ngsi_v2 import subscriptions as subscriptions_of_v2
from sanpo.broker.ngsi_v2.serving import ServerOfV2

PATH = "/ngsi-ld/v1"
table = Table()
table.add(entities.OPERATIONS)
table.add(attributes.OPERATIONS)
table.add(batches.OPERATIONS)
table.add(discovery.OPERATIONS)
table.add(queries.OPERATIONS)
table.add(entity_maps.OPERATIONS)
table.add(identity.OPERATIONS)
table.add(contexts.OPERATIONS)
table.add(subscriptions.OPERATIONS)
table.add(source_subscriptions.OPERATIONS)
table.add(registrations.OPERATIONS)
table.add(temporal.OPERATIONS)

table_of_v2 = Table()
table_of_v2.add(entry.OPERATIONS)
table_of_v2.add(entities_of_v2.OPERATIONS)
table_of_v2.add(attributes_of_v2.OPERATIONS)
table_of_v2.add(types.OPERATIONS)
table_of_v2.add(operations.OPERATIONS)
table_of_v2.add(subscriptions_of_v2.OPERATIONS)

server = Server(table)
server_of_v2 = ServerOfV2(table_of_v2)
handlers: list[Any] = [
    asgi(PATH, is_mount=True, copy_scope=False)(server.__call__),
    asgi(["/v2", "/version"], is_mount=True, copy_scope=False)(server_of_v2.__call__),
    post_lines,
]


def with_shortcut(app: Litestar) -> ASGIApp:
    """The application, with a shorter way to this door: finding and calling a handler costs more than reading an entity."""
    state = app.state

    async def serve(scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(f"{PATH}/"):
            await server.serve(state, scope, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith("/v2/"):
            await server_of_v2.serve(state, scope, receive, send)
        else:
            await app(scope, receive, send)

    return serve
