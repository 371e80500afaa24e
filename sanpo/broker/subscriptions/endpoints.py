"""Where notifications go (§5.2.15): over HTTP, or MQTT (§7.2). What an address may be, and how it is shown."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from sanpo.broker.subscriptions.errors import fail
from sanpo.ground.config import Settings
from sanpo.ground.mqtt import SCHEMES, VERSIONS, AddressIsInvalid, read_address, without_password
from sanpo.ground.outbound import PORTS

EVENTS = "urn:sanpo:events"
"""The endpoint of who fetches notifications as server-sent events."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104  # named to be refused
_QUALITIES = ("0", "1", "2")
VERSION, QUALITY = "MQTT-Version", "MQTT-QoS"


def is_mqtt(uri: str) -> bool:
    return urlsplit(uri).scheme in SCHEMES


def check_address(uri: str, settings: Settings, where: str) -> str:
    """An address that notifications can go to, and not the broker's own: it would tell itself about what it tells."""
    parts = urlsplit(uri)
    if uri == EVENTS:
        return uri
    if parts.scheme in SCHEMES:
        return _check_mqtt(uri, where)
    if parts.scheme not in ("http", "https"):
        fail(where, f"is no http, https, mqtt or mqtts address, and not {EVENTS}")
    try:
        port = parts.port or PORTS[parts.scheme]
    except ValueError:
        fail(where, "has no valid port")
    if not parts.hostname or parts.username is not None:
        fail(where, "has no host, or a name and password")
    origin = urlsplit(settings.origin)
    own = {(origin.hostname, origin.port or PORTS.get(origin.scheme, 80))}
    own |= {(host, settings.port) for host in (*_LOOPBACK, settings.host)}
    if (parts.hostname, port) in own:
        fail(where, "is the broker's own address")
    return uri


def _check_mqtt(uri: str, where: str) -> str:
    try:
        address = read_address(uri)
    except AddressIsInvalid as error:
        fail(where, str(error))
    if not address.topic:
        fail(where, "has no topic")
    return uri


def check_notifier(endpoint: Mapping[str, Any]) -> None:
    """What the notifier is told must be what MQTT has (§7.2)."""
    if not is_mqtt(endpoint["uri"]):
        return
    version, quality = notifier_of(endpoint)
    if version not in VERSIONS:
        fail("notification.endpoint.notifierInfo", f"has an {VERSION} that is none of {', '.join(VERSIONS)}")
    if quality not in _QUALITIES:
        fail("notification.endpoint.notifierInfo", f"has an {QUALITY} that is none of {', '.join(_QUALITIES)}")


def notifier_of(endpoint: Mapping[str, Any]) -> tuple[str, str]:
    """Version of MQTT and quality of service, with the standard's defaults."""
    given = pairs_of(endpoint.get("notifierInfo", ()))
    return given.get(VERSION, "mqtt5.0"), given.get(QUALITY, "0")


def pairs_of(info: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {each["key"]: each["value"] for each in info}


def shown_address(uri: str) -> str:
    """The address without its password."""
    return without_password(uri)


def kept_address(old: str, new: str) -> str:
    """The address that stands after an update: what was shown without its password, and comes back so, is the same."""
    return old if new == shown_address(old) else new
