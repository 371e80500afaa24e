"""The door of NGSI-LD (`/ngsi-ld/v1`): the table of all operations, served beside the other districts' handlers."""

from typing import Any

from litestar import asgi

from sanpo.broker.ngsi_ld import attributes, batches, contexts, discovery, entities, queries
from sanpo.broker.ngsi_ld.routing import Table
from sanpo.broker.ngsi_ld.serving import Server

PATH = "/ngsi-ld/v1"
table = Table()
table.add(entities.OPERATIONS)
table.add(attributes.OPERATIONS)
table.add(batches.OPERATIONS)
table.add(discovery.OPERATIONS)
table.add(queries.OPERATIONS)
table.add(contexts.OPERATIONS)

handlers: list[Any] = [asgi(PATH, is_mount=True, copy_scope=False)(Server(table).__call__)]
