"""Services: plug-ins found by the entry-point group `sanpo.services`; built-in ones come through the same door."""

import tomllib
from dataclasses import dataclass
from importlib.metadata import entry_points
from importlib.resources import files
from typing import Any

from sanpo.ground.errors import DomainError, Kind
from sanpo.ground.lazy import lazy


class ServiceIsBroken(DomainError):
    """A service could not be loaded. Fields: service, problem."""

    code = "ground.service_is_broken"
    kind = Kind.INVALID


@dataclass(frozen=True)
class Service:
    """What a service's `service.py` offers as its one object `service`. Its rooms (api, pages, cli, jobs, migrations,
    words, templates) are found in its package as in any district; what it brings is in its manifest."""

    name: str
    package: str

    @lazy
    def manifest(self) -> dict[str, Any]:
        """`manifest.toml` of the package: name, datasets, purposes, gains, pages, settings."""
        return tomllib.loads(files(self.package).joinpath("manifest.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Plugins:
    services: tuple[Service, ...]

    @property
    def packages(self) -> list[str]:
        return [service.package for service in self.services]


def load_plugins() -> Plugins:
    """All installed services in order of name. Raises `ServiceIsBroken` and names the one that does not load."""
    found = []
    for entry in sorted(entry_points(group="sanpo.services"), key=lambda entry: entry.name):
        try:
            service = entry.load()
        except Exception as error:
            raise ServiceIsBroken(service=entry.name, problem=f"{type(error).__name__}: {error}") from error
        if not isinstance(service, Service) or service.name != entry.name:
            raise ServiceIsBroken(service=entry.name, problem="its entry point is no Service of that name")
        found.append(service)
    return Plugins(tuple(found))
