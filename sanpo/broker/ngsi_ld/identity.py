"""`/info/sourceIdentity` (§6.33): who this broker is, so that brokers which ask each other notice a loop."""

import time

from sanpo.broker.ngsi_ld.calls import Call, Reply
from sanpo.broker.ngsi_ld.routing import Operation, parameters
from sanpo.broker.representation.writing import short_time
from sanpo.ground.canonical import sha256_hex

_BEGAN = time.monotonic()


def alias_of(call: Call) -> str:
    """The name of one tenant of this broker among others: always the same, and no other tenant's."""
    origin, tenant = call.city.settings.origin, call.place.tenant
    return f"urn:ngsi-ld:ContextSource:{sha256_hex(f'{origin}/{tenant}'.encode())[:32]}"


def identity(call: Call) -> Reply:
    """5.15.1 Retrieve Context Source Identity Information."""
    alias = alias_of(call)
    body = {
        "id": alias,
        "type": "ContextSourceIdentity",
        "contextSourceAlias": alias,
        "contextSourceUptime": f"PT{int(time.monotonic() - _BEGAN)}S",
        "contextSourceTimeAt": short_time(call.place.now()),
    }
    return call.answer(body, call.linked)


OPERATIONS = [Operation("GET", "info/sourceIdentity", identity, "5.15.1", parameters())]
