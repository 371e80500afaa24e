"""The city's mappings: the folder that `broker_mappings` names, whose MQTT doors the worker listens at."""

import threading
from pathlib import Path

import structlog

from sanpo.broker.ingest.errors import MappingIsInvalid, MappingNotFound
from sanpo.broker.ingest.listening import Listener
from sanpo.broker.ingest.mapping import Mapping, read_mapping
from sanpo.ground.city import City
from sanpo.ground.errors import DomainError

log = structlog.get_logger()
Running = tuple[threading.Thread, threading.Event]


def find_mapping(city: City, name: str) -> tuple[Mapping, str]:
    """The mapping of this name, and the SHA-256 of its file. Raises `MappingNotFound`, `MappingIsInvalid`."""
    for file in _files(city):
        mapping, sha256 = read_mapping(file)
        if mapping.name == name:
            return mapping, sha256
    raise MappingNotFound(name=name)


def listen_all(city: City) -> None:
    """The duty: listens for each mapping with a topic, anew where its file has changed, no more where it has gone."""
    running: dict[str, Running] = city.__dict__.setdefault("_broker_listeners", {})
    wanted: dict[str, Mapping] = {}
    for file in _files(city):
        try:
            mapping, sha256 = read_mapping(file)
        except MappingIsInvalid as error:
            log.warning("mapping_is_invalid", file=file.name, problem=error.fields["problem"])
            continue
        if mapping.mqtt is not None:
            wanted[sha256] = mapping
    for sha256, (thread, stop) in list(running.items()):
        if sha256 not in wanted or not thread.is_alive():
            stop.set()
            del running[sha256]
    for sha256 in wanted.keys() - running.keys():
        try:
            listener = Listener(city, wanted[sha256])
        except DomainError as error:  # its context is not there now: the next turn tries again
            log.warning("mapping_waits", mapping=wanted[sha256].name, code=error.code)
            continue
        thread = threading.Thread(target=listener.run, name=f"listen-{listener.mapping.name}", daemon=True)
        running[sha256] = (thread, listener.stop)
        thread.start()


def _files(city: City) -> list[Path]:
    folder = city.settings.broker_mappings
    return sorted(Path(folder).expanduser().glob("*.toml")) if folder else []
