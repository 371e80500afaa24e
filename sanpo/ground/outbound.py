"""Calls to addresses outside: bounded in time and size, and never to a private address unless the city allows it.

The address is checked at the moment of connecting, on the very address that is then used, so that a name which
resolves differently the second time (DNS rebinding) gains nothing. `post` follows no redirect; `fetch` follows a few, each
checked anew. The time is that of the whole call: who sends a byte now and then does not make it longer.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpcore

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
PORTS = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
REDIRECTS = (301, 302, 303, 307, 308)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# A resolver cannot be interrupted, so it is waited for on a thread of its own.
_RESOLVERS = ThreadPoolExecutor(8, thread_name_prefix="resolve")


class CallFailed(Exception):
    """The other side could not be reached, was not allowed, or answered too much. The text says which."""


class ReplyTooLong(CallFailed):
    """The other side answered more than the caller takes."""


@dataclass(frozen=True)
class Reply:
    """`headers` by their names in small letters; of several with one name the last."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def post(
    url: str,
    body: bytes,
    headers: dict[str, str],
    *,
    allow_private: bool = False,
    timeout_s: float = TIMEOUT_S,
    max_bytes: int = MAX_ANSWER_BYTES,
    method: str = "POST",
) -> Reply:
    """POSTs `body`, or sends it by another method, and returns the reply, whatever its status. Raises `CallFailed`."""
    if _split(url).scheme != "https" and not allow_private:
        raise CallFailed("only https addresses are called")
    return send(method, url, body, headers, allow_private=allow_private, timeout_s=timeout_s, max_bytes=max_bytes)


def send(
    method: str,
    url: str,
    body: bytes | None,
    headers: dict[str, str],
    *,
    allow_private: bool,
    timeout_s: float,
    max_bytes: int,
) -> Reply:
    """One request by http or https; returns the reply, whatever its status. Raises `CallFailed`."""
    if _split(url).scheme not in ("https", "http"):
        raise CallFailed("only https addresses are called")
    return _call(_Guard(allow_private, time.monotonic() + timeout_s, max_bytes), method, url, headers, body)


def fetch(
    url: str,
    headers: dict[str, str],
    *,
    timeout_s: float,
    max_bytes: int,
    most_redirects: int,
    private_hosts: Collection[str] = (),
) -> Reply:
    """GETs a document over http or https and returns the last reply, whatever its status. Raises `CallFailed`.

    `private_hosts` are those (`host` or `host:port`) whose addresses may be private.
    """
    deadline = time.monotonic() + timeout_s
    for _ in range(most_redirects + 1):
        if _split(url).scheme not in ("https", "http"):
            raise CallFailed("only http and https addresses are read")
        reply = _call(_Guard(is_named(url, private_hosts), deadline, max_bytes), "GET", url, headers, None)
        if reply.status not in REDIRECTS or "location" not in reply.headers:
            return reply
        try:
            url = urljoin(url, reply.headers["location"])
        except ValueError as error:
            raise CallFailed("the address is not valid") from error
    raise CallFailed(f"more than {most_redirects} redirects")


def connect(host: str, port: int, *, allow_private: bool, timeout_s: float) -> socket.socket:
    """A TCP connection, for a protocol of its own. Raises `CallFailed`, or `OSError` where nobody answers."""
    guard = _Guard(allow_private, time.monotonic() + timeout_s, 0)
    failure: Exception = CallFailed("the name has no address")
    for address in guard.addresses(host, port):
        try:
            return socket.create_connection((address, port), guard.left_s())
        except OSError as error:
            failure = error
    raise failure


def is_named(url: str, hosts: Collection[str]) -> bool:
    """True where `hosts` has the URL's host, or its host and port."""
    parts = _split(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = parts.port or PORTS.get(parts.scheme, 80)
    return host in hosts or f"{host}:{port}" in hosts


def is_public(address: str) -> bool:
    """False for what is private, loopback, link-local, reserved or multicast, also where IPv6 wraps such an IPv4 address."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour
        if found in _NAT64:
            inner = ipaddress.IPv4Address(found.packed[12:])
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        port_is_valid = parts.port is None or parts.port > 0
    except ValueError as error:
        raise CallFailed("the address is not valid") from error
    if not parts.hostname or not port_is_valid:
        raise CallFailed("only https addresses with a host are called")
    return parts


@dataclass(frozen=True)
class _Guard:
    """What one call may do: reach private addresses, go on until `deadline` (monotonic), read so many bytes."""

    allow_private: bool
    deadline: float
    max_bytes: int

    def left_s(self, asked: float | None = None) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise CallFailed("it took too long")
        return left if asked is None else min(left, asked)

    def addresses(self, host: str, port: int) -> list[str]:
        """Those of a host that may be connected to. Raises `CallFailed` where it has some, and none of them may be."""
        looked_up = _RESOLVERS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            entries = looked_up.result(timeout=self.left_s())
        except TooSlow as error:
            looked_up.cancel()
            raise CallFailed("it took too long") from error
        except socket.gaierror as error:
            raise CallFailed("the name has no address") from error
        found = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
        allowed = [each for each in found if self.allow_private or is_public(each)]
        if found and not allowed:
            raise CallFailed("the address is private")
        return allowed


class _GuardedStream(httpcore.NetworkStream):
    """A connection on which every wait ends with the whole call's time."""

    def __init__(self, stream: httpcore.NetworkStream, guard: _Guard) -> None:
        self._stream = stream
        self._guard = guard

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._guard.left_s(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._guard.left_s(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, self._guard.left_s(timeout))
        return _GuardedStream(secured, self._guard)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _GuardedBackend(httpcore.SyncBackend):
    def __init__(self, guard: _Guard) -> None:
        self._guard = guard

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = CallFailed("the name has no address")
        for address in self._guard.addresses(host, port):
            try:
                wait_s = self._guard.left_s(timeout)
                stream = super().connect_tcp(address, port, wait_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _GuardedStream(stream, self._guard)
        raise failure


@cache
def certificates() -> ssl.SSLContext:
    """Whom a secure connection trusts."""
    return ssl.create_default_context()


def _call(guard: _Guard, method: str, url: str, headers: dict[str, str], body: bytes | None) -> Reply:
    wait_s = guard.left_s()
    timeout = {"connect": wait_s, "read": wait_s, "write": wait_s, "pool": wait_s}
    backend = _GuardedBackend(guard)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=certificates(), network_backend=backend) as pool,
            pool.stream(
                method, url, headers=list(headers.items()), content=body, extensions={"timeout": timeout}
            ) as reply,
        ):
            received = b""
            for part in reply.iter_stream():
                received += part
                if len(received) > guard.max_bytes:
                    raise ReplyTooLong("the reply is too long")
            found = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in reply.headers}
            return Reply(reply.status, received, found)
    except httpcore.TimeoutException as error:
        raise CallFailed("it took too long") from error
    except httpcore.ConnectError as error:
        raise CallFailed("nobody answers there") from error
    except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
        raise CallFailed(type(error).__name__) from error
    except (httpcore.UnsupportedProtocol, ValueError) as error:
        raise CallFailed("the address is not valid") from error
