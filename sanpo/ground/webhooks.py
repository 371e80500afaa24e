"""Signed messages to an organisation's address: Standard Webhooks (webhook-id, webhook-timestamp, webhook-signature `v1a`:
Ed25519), with which the receiver can tell that the city sent them, and that one came twice."""

import base64
from typing import TYPE_CHECKING

from sanpo.ground.outbound import CallFailed, Reply, post

if TYPE_CHECKING:
    from sanpo.ground.city import City


def deliver(city: "City", url: str, message_id: str, body: bytes) -> Reply:
    """Sends one message; returns the answer of a receiver that took it (2xx). Raises `CallFailed`."""
    timestamp = str(int(city.now().timestamp()))
    signature = base64.b64encode(city.keys.sign(f"{message_id}.{timestamp}.".encode() + body)).decode()
    headers = {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1a,{signature}",
    }
    reply = post(url, body, headers, allow_private=city.settings.webhook_private_hosts)
    if not 200 <= reply.status < 300:
        raise CallFailed(f"HTTP {reply.status}")
    return reply
