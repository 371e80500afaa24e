"""Calls to addresses outside: bounded in time and size, and never to a private address unless the city allows it.

The address is checked at the moment of connecting, on the very address that is then used, so that a name which
resolves differently the second time (DNS rebinding) gains nothing. Redirects are not followed.
"""

import ipaddress
import socket
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpcore

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024


class CallFailed(Exception):
    """The other side could not be reached, was not allowed, or answered too much. The text says which."""


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes


class _GuardedBackend(httpcore.SyncBackend):
    def __init__(self, allow_private: bool) -> None:
        self._allow_private = allow_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        address = str(found[0][4][0])
        if not self._allow_private and not ipaddress.ip_address(address).is_global:
            raise CallFailed("the address is private")
        return super().connect_tcp(address, port, timeout, local_address, socket_options)


def post(url: str, body: bytes, headers: dict[str, str], *, allow_private: bool = False) -> Reply:
    """POSTs `body` and returns the reply, whatever its status. Raises `CallFailed`."""
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or (parts.scheme == "http" and not allow_private) or not parts.hostname:
        raise CallFailed("only https addresses are called")
    timeout = {"connect": TIMEOUT_S, "read": TIMEOUT_S, "write": TIMEOUT_S, "pool": TIMEOUT_S}
    backend = _GuardedBackend(allow_private)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=ssl.create_default_context(), network_backend=backend) as pool,
            pool.stream(
                "POST", url, headers=list(headers.items()), content=body, extensions={"timeout": timeout}
            ) as reply,
        ):
            received = b""
            for part in reply.iter_stream():
                received += part
                if len(received) > MAX_ANSWER_BYTES:
                    raise CallFailed("the reply is too long")
            return Reply(reply.status, received)
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, OSError) as error:
        raise CallFailed(type(error).__name__) from error
