"""MQTT 3.1.1 and 5 as a client: addresses, and one message published and acknowledged in bounded time.

The same guard as for HTTP (`outbound`) decides on the address that is connected to. A password is in no text of an error.
"""

import secrets
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from sanpo.ground.outbound import CallFailed, certificates, connect

SCHEMES = ("mqtt", "mqtts")
VERSIONS: dict[str, MQTTProtocolVersion] = {
    "mqtt3.1.1": MQTTProtocolVersion.MQTTv311,
    "mqtt5.0": MQTTProtocolVersion.MQTTv5,
}
_PORTS = {"mqtt": 1883, "mqtts": 8883}
_MOST_TOPIC_BYTES = 65_535


class AddressIsInvalid(ValueError):
    """It is no `mqtt[s]://[user[:password]@]host[:port][/topic…]`. The text says why, and nothing of the address."""


@dataclass(frozen=True)
class Address:
    """Where an MQTT server is, as whom, and the topic, if the address has one."""

    host: str
    port: int
    is_secure: bool
    username: str | None
    password: str | None = field(repr=False)
    topic: str


def read_address(uri: str) -> Address:
    """Raises `AddressIsInvalid`."""
    try:
        parts = urlsplit(uri)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise AddressIsInvalid("has no valid host or port") from error
    if parts.scheme not in SCHEMES or not parts.hostname:
        raise AddressIsInvalid("has no scheme mqtt or mqtts, or no host")
    if parts.query or parts.fragment:
        raise AddressIsInvalid("has more than host and topic")
    username, password = (None if each is None else unquote(each) for each in (parts.username, parts.password))
    topic = unquote(parts.path[1:])
    if not set(topic).isdisjoint("+#\0") or len(topic.encode()) > _MOST_TOPIC_BYTES:
        raise AddressIsInvalid("has a topic that nothing can be published to")
    return Address(parts.hostname, port, parts.scheme == "mqtts", username or None, password, topic)


def without_password(uri: str) -> str:
    """The address as it may be shown and logged."""
    try:
        parts: SplitResult = urlsplit(uri)
    except ValueError:
        return ""
    if parts.password is None:
        return uri
    user, _, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{user.partition(':')[0]}@{host}").geturl()


class Client(paho.Client):
    """The library's client, which connects only where the city's programs may."""

    def __init__(self, address: Address, version: str, *, allow_private: bool, timeout_s: float, **more: Any) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, protocol=VERSIONS[version], **more)
        self.allow_private = allow_private
        self.connect_timeout = timeout_s
        if address.username is not None:
            self.username_pw_set(address.username, address.password)
        if address.is_secure:
            self.tls_set_context(certificates())

    def _create_socket_connection(self) -> socket.socket:
        return connect(self.host, self.port, allow_private=self.allow_private, timeout_s=self.connect_timeout)


def publish(
    address: Address, payload: bytes, *, version: str = "mqtt5.0", qos: int = 0, allow_private: bool, timeout_s: float
) -> None:
    """Publishes one message and returns when it is acknowledged as `qos` asks: 0 sent, 1 PUBACK, 2 PUBCOMP.

    Raises `CallFailed`.
    """
    if not address.is_secure and not allow_private:
        raise CallFailed("only mqtts addresses are called")
    name = f"sanpo-{secrets.token_hex(8)}"
    client = Client(address, version, allow_private=allow_private, timeout_s=timeout_s, client_id=name)
    told: list[str] = []

    def on_connect(*given: Any) -> None:
        if given[3].is_failure:
            told.append(f"refused: {given[3]}")
        else:
            client.publish(address.topic, payload, qos=qos)

    def on_publish(*given: Any) -> None:
        told.append(f"not taken: {given[3]}" if given[3].is_failure else "")

    client.on_connect, client.on_publish = on_connect, on_publish
    deadline = time.monotonic() + timeout_s
    code = _attempt(lambda: client.connect(address.host, address.port, keepalive=max(1, round(timeout_s))))
    try:
        while not told and code == MQTTErrorCode.MQTT_ERR_SUCCESS:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise CallFailed("it took too long")
            code = _attempt(partial(client.loop, left_s))
    finally:
        client.disconnect()
    problem = told[0] if told else paho.error_string(code)
    if problem:
        raise CallFailed(problem)


def _attempt(call: Callable[[], MQTTErrorCode]) -> MQTTErrorCode:
    try:
        return call()
    except TimeoutError as error:
        raise CallFailed("it took too long") from error
    except ssl.SSLError as error:
        raise CallFailed("the connection is not secure") from error
    except OSError as error:
        raise CallFailed("nobody answers there") from error
