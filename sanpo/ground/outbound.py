"""Calls to addresses outside: bounded in time and size, and never to a private address unless the city allows it.

The address is checked at the moment of connecting, on the very address that is then used, so that a name which
resolves differently the second time (DNS rebinding) gains nothing. `post` follows no redirect; `fetch` follows a few, each
checked anew. The time is that of the whole call: who sends a byte now and then does not make it longer.
"""

import ipaddress
import socket
import ssl
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from dataclasses import dataclass, field
from functools import cache
from http.client import BadStatusLine, HTTPConnection, HTTPException, InvalidURL
from select import select
from threading import Lock
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

TIMEOUT_S = 5.0
MAX_ANSWER_BYTES = 64 * 1024
PORTS = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883}
REDIRECTS = (301, 302, 303, 307, 308)
_PART_BYTES = 64 * 1024
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
    """POSTs `body`, or sends it by another method, and returns the reply, whatever its status. Raises `CallFailed`.

    For messages that may arrive twice: over a kept connection that breaks off, it is sent again over a new one.
    """
    if _split(url).scheme not in (("http", "https") if allow_private else ("https",)):
        raise CallFailed("only https addresses are called")
    return _call(_Guard(allow_private, time.monotonic() + timeout_s, max_bytes), method, url, headers, body, again=True)


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
    guard = _Guard(allow_private, time.monotonic() + timeout_s, max_bytes)
    return _call(guard, method, url, headers, body, again=method == "GET")


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
        reply = _call(_Guard(is_named(url, private_hosts), deadline, max_bytes), "GET", url, headers, None, again=True)
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


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return "%" not in host


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
        found = [host] if _is_address(host) else self._looked_up(host, port)
        allowed = [each for each in found if self.allow_private or is_public(each)]
        if found and not allowed:
            raise CallFailed("the address is private")
        return allowed

    def _looked_up(self, host: str, port: int) -> list[str]:
        looked_up = _RESOLVERS.submit(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        try:
            entries = looked_up.result(timeout=self.left_s())
        except TooSlow as error:
            looked_up.cancel()
            raise CallFailed("it took too long") from error
        except socket.gaierror as error:
            raise CallFailed("the name has no address") from error
        return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


class _Timed:
    """A socket on which every wait ends with the whole call's time."""

    guard: _Guard

    def recv_into(self, *given: Any) -> int:
        self._set_time()
        return super().recv_into(*given)  # type: ignore[misc,no-any-return]

    def send(self, *given: Any) -> int:
        self._set_time()
        return super().send(*given)  # type: ignore[misc,no-any-return]

    def sendall(self, *given: Any) -> None:
        self._set_time()
        super().sendall(*given)  # type: ignore[misc]

    def _set_time(self) -> None:
        self.settimeout(self.guard.left_s())  # type: ignore[attr-defined]


class _Plain(_Timed, socket.socket): ...


class _Secure(_Timed, ssl.SSLSocket): ...


@cache
def certificates() -> ssl.SSLContext:
    """Whom a secure connection trusts."""
    found = ssl.create_default_context()
    found.sslsocket_class = _Secure
    return found


class _Kept:
    """Connections that may be used again: a few for each place, and not for long."""

    MOST, MOST_S = 4, 10.0

    def __init__(self) -> None:
        self._lock = Lock()
        self._idle: dict[_Where, list[tuple[float, HTTPConnection]]] = {}

    def take(self, where: "_Where", guard: _Guard) -> HTTPConnection | None:
        """One that the other side has not closed, as far as can be seen."""
        with self._lock:
            idle = self._idle.pop(where, [])
            found = None
            while idle and found is None:
                since, each = idle.pop()
                is_fresh = time.monotonic() - since < self.MOST_S and not select([each.sock], [], [], 0)[0]
                if is_fresh:
                    found = each
                else:
                    each.close()
            if idle:
                self._idle[where] = idle
        if found is not None:
            found.sock.guard = guard  # type: ignore[union-attr]
        return found

    def give(self, where: "_Where", connection: HTTPConnection) -> None:
        now = time.monotonic()
        with self._lock:
            for place, idle in list(self._idle.items()):
                while idle and now - idle[0][0] >= self.MOST_S:
                    idle.pop(0)[1].close()
                if not idle:
                    del self._idle[place]
            idle = self._idle.setdefault(where, [])
            if len(idle) < self.MOST:
                idle.append((now, connection))
            else:
                connection.close()


_KEPT = _Kept()
_Where = tuple[str, str, int, bool]


def _connected(where: _Where, guard: _Guard) -> HTTPConnection:
    scheme, host, port, _ = where
    failure: Exception = CallFailed("nobody answers there")
    for address in guard.addresses(host, port):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        plain = _Plain(family, socket.SOCK_STREAM)
        plain.guard = guard
        try:
            plain.settimeout(guard.left_s())
            plain.connect((address, port))
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection = HTTPConnection(host, port)
            connection.sock = _secured(plain, host, guard) if scheme == "https" else plain
            connection.default_port = PORTS[scheme]  # so that the header Host names no other
        except OSError as error:
            plain.close()
            failure = error
        else:
            return connection
    raise failure


def _secured(plain: _Plain, host: str, guard: _Guard) -> ssl.SSLSocket:
    found = certificates().wrap_socket(plain, server_hostname=host, do_handshake_on_connect=False)
    found.guard = guard  # type: ignore[attr-defined]
    found.settimeout(guard.left_s())
    found.do_handshake()
    return found


def _call(guard: _Guard, method: str, url: str, headers: dict[str, str], body: bytes | None, *, again: bool) -> Reply:
    """One exchange. `again`: it may come twice, where a kept connection breaks off before it answers."""
    parts = _split(url)
    where = (parts.scheme, str(parts.hostname), parts.port or PORTS[parts.scheme], guard.allow_private)
    target = urlunsplit(("", "", parts.path or "/", parts.query, ""))
    kept = _KEPT.take(where, guard) if again else None
    try:
        if kept is not None:
            try:
                return _exchange(kept, where, guard, (method, target, body, headers))
            except (ConnectionError, BadStatusLine):
                kept.close()
        return _exchange(_connected(where, guard), where, guard, (method, target, body, headers))
    except TimeoutError as error:
        raise CallFailed("it took too long") from error
    except ConnectionRefusedError as error:
        raise CallFailed("nobody answers there") from error
    except (HTTPException, OSError) as error:  # before ValueError, which a certificate that is not trusted is as well
        raise CallFailed(
            "the address is not valid" if isinstance(error, InvalidURL) else type(error).__name__
        ) from error
    except ValueError as error:
        raise CallFailed("the address is not valid") from error


def _exchange(connection: HTTPConnection, where: _Where, guard: _Guard, request: Any) -> Reply:
    is_whole = False
    try:
        connection.request(*request)
        reply = connection.getresponse()
        received = b""
        while part := reply.read(_PART_BYTES):
            received += part
            if len(received) > guard.max_bytes:
                raise ReplyTooLong("the reply is too long")
        is_whole = not reply.will_close
        return Reply(reply.status, received, {name.lower(): value for name, value in reply.getheaders()})
    finally:
        if is_whole:
            _KEPT.give(where, connection)
        else:
            connection.close()
