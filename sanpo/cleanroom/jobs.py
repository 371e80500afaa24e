"""The clean room's duty: what was told long ago is forgotten."""

from sanpo.cleanroom.memory import forget
from sanpo.ground.jobs import Registry


def jobs(registry: Registry) -> None:
    registry.every(3600, "cleanroom.forget", forget)
