"""A mapping file: how messages or lines become entities, attributes and observations. Pure, once its context is known.

Written as TOML (docs/how-to/ingest.md).
"""

import hashlib
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from sanpo.broker.ingest.errors import MappingIsInvalid
from sanpo.broker.ingest.paths import read_path, reference, template
from sanpo.broker.ingest.times import read_zone
from sanpo.ground.mqtt import VERSIONS, AddressIsInvalid, read_address

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_-]*\Z", max_length=60)]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]
_NAMED = re.compile(r"\{([A-Za-z_]\w*)\}")


class Mqtt(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """A topic has `+` for any level, `{name}` for one that is named, and `#` at its end for all below.

    A password stands in the environment, in the variable that is named here.
    """

    server: Text
    topic: Text
    version: str = "mqtt5.0"
    qos: Annotated[int, Meta(ge=0, le=2)] = 1
    password_variable: str | None = None
    client_id: str | None = None


class Payload(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`records` is a path to several records in one JSON message; `columns` name those of CSV without a header."""

    format: Literal["json", "csv"] = "json"
    records: Text | None = None
    columns: tuple[Text, ...] = ()
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    encoding: str = "utf-8"


class Subject(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The entity. Where it is not there yet, it is made, unless `create` is false."""

    id: Text
    type: Text
    create: bool = True


class Time(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """When it was observed: without a field, when it arrived. `format` is iso, epochS, epochMs or one of strptime."""

    field: Text | None = None
    format: Text = "iso"
    timezone: Text | None = None


class Attribute(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """`value` is a reference; `object` a template of a relationship; `longitude` and `latitude` make a point."""

    name: Text
    value: Text | None = None
    object: Text | None = None
    longitude: Text | None = None
    latitude: Text | None = None
    kind: Literal["number", "text", "boolean", "json"] = "number"
    scale: float = 1.0
    unit_code: Text | None = None
    optional: bool = False


class Mapping(Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """The whole file."""

    name: Name
    entity: Subject
    attributes: Annotated[list[Attribute], Meta(min_length=1, max_length=200)]
    payload: Payload = Payload()
    time: Time | None = None
    mqtt: Mqtt | None = None
    tenant: str = ""
    context: str | None = None


@dataclass(frozen=True)
class Topic:
    """A topic as it is subscribed to, and what of it has names."""

    pattern: str

    @cached_property
    def filter(self) -> str:
        return _NAMED.sub("+", self.pattern)

    @cached_property
    def _match(self) -> Callable[[str], re.Match[str] | None]:
        levels = []
        for level in self.pattern.split("/"):
            named = _NAMED.fullmatch(level)
            levels.append(f"(?P<{named[1]}>[^/]*)" if named else {"+": "[^/]*", "#": ".*"}.get(level, re.escape(level)))
        return re.compile("/".join(levels).replace("/.*", "(?:/.*)?")).fullmatch

    def parts(self, topic: str) -> dict[str, str]:
        found = self._match(topic)
        return {} if found is None else found.groupdict()


def read_mapping(file: Path) -> tuple[Mapping, str]:
    """A mapping, and the SHA-256 of what it says. Raises `MappingIsInvalid`."""
    try:
        text = file.read_text(encoding="utf-8")
        mapping = msgspec.convert(tomllib.loads(text), Mapping)
        _check(mapping)
    except (OSError, ValueError, re.error) as error:  # TOML, UTF-8, msgspec and ours are all of ValueError
        problem = type(error).__name__ if isinstance(error, OSError) else str(error)
        raise MappingIsInvalid(file=file.name, problem=problem) from None
    return mapping, hashlib.sha256(text.encode()).hexdigest()


def _check(mapping: Mapping) -> None:
    """What the fields alone do not say. Raises `ValueError`."""
    template(mapping.entity.id)
    for each in mapping.attributes:
        _check_attribute(each)
    if mapping.payload.records is not None:
        read_path(mapping.payload.records)
    "".encode(_known(mapping.payload.encoding))
    if mapping.time is not None:
        reference(mapping.time.field or "x")
        read_zone(mapping.time.timezone or "UTC")
    if mapping.mqtt is not None:
        _check_mqtt(mapping.mqtt)


def _known(encoding: str) -> str:
    try:
        "".encode(encoding)
    except LookupError:
        raise ValueError(f"{encoding} is no encoding") from None
    return encoding


def _check_attribute(given: Attribute) -> None:
    ways = [given.value is not None, given.object is not None, None not in (given.longitude, given.latitude)]
    if sum(ways) != 1:
        raise ValueError(f"{given.name} needs one of value, object, longitude with latitude")
    template(given.object or "")
    for each in (given.value, given.longitude, given.latitude):
        reference(each or "x")


def _check_mqtt(given: Mqtt) -> None:
    try:
        address = read_address(given.server)
    except AddressIsInvalid as error:
        raise ValueError(f"server {error}") from None
    if address.topic or address.password is not None:
        raise ValueError("server has a topic, or a password: that stands in the variable that passwordVariable names")
    if given.version not in VERSIONS:
        raise ValueError(f"version is none of {', '.join(VERSIONS)}")
    levels = given.topic.split("/")
    plain = [_NAMED.sub("", level) for level in levels]
    if (
        any(set(level) & set("{}") or (set(level) & set("+#") and len(level) > 1) for level in plain)
        or "#" in levels[:-1]
    ):
        raise ValueError("topic has a level that is neither a word, +, {name} nor, at its end, #")
    if any(_NAMED.search(level) and not _NAMED.fullmatch(level) for level in levels):
        raise ValueError("topic has a name that is not a whole level")
    Topic(given.topic).parts("")
