"""What can go wrong at the doors of ingest."""

from typing import Any

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class MappingIsInvalid(BrokerError):
    """The mapping file cannot be used. Fields: file, problem."""

    code = "broker.mapping_is_invalid"
    kind = Kind.INVALID


class MappingNotFound(BrokerError):
    """No mapping of this name is in the city's folder. Field: name."""

    code = "broker.mapping_not_found"
    kind = Kind.NOT_FOUND


class MappingHasNoTopic(BrokerError):
    """The mapping names no MQTT server, so that there is nothing to listen to. Field: name."""

    code = "broker.mapping_has_no_topic"
    kind = Kind.INVALID


class FileHasBadLines(BrokerError):
    """Lines of a file cannot be used. Fields: file, count, done, bad (the first of them, each with line and reason)."""

    code = "broker.file_has_bad_lines"
    kind = Kind.INVALID


class RecordIsBad(Exception):
    """One record cannot be used. `reason` holds nothing of its values, so that equal failures are counted as one."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def bad(reason: str) -> Any:
    raise RecordIsBad(reason)
