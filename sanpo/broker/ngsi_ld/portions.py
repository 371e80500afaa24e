"""What of a write goes to which source, and what stays here (§4.3.6.2, §4.3.6.3): what single writes and batches share.

An exclusive or redirect registration takes what it names away from here; an inclusive one gets a copy of the rest; an
auxiliary one is never written to. Personal entities are written here alone (docs/decisions/0015).
"""

from collections.abc import Collection, Sequence
from typing import Any

from sanpo.broker.model import NGSI_LD
from sanpo.broker.ngsi_ld.calls import Call, Reply
from sanpo.broker.ngsi_ld.forwarding import Outcome, Request
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.problems import on_error
from sanpo.broker.ngsi_ld.routing import Operation
from sanpo.broker.ngsi_ld.temporal_words import temporal_fragment
from sanpo.broker.personal import personal_types
from sanpo.broker.registrations.matching import Match
from sanpo.broker.representation.reading import Nulls
from sanpo.broker.store import encode
from sanpo.ground.errors import DomainError
from sanpo.ground.outbound import Reply as Answer

NAMES = {
    "5.6.1": "createEntity",
    "5.6.2": "updateEntity",
    "5.6.3": "appendAttrs",
    "5.6.4": "updateAttrs",
    "5.6.5": "deleteAttrs",
    "5.6.6": "deleteEntity",
    "5.6.7": "createBatch",
    "5.6.8": "upsertBatch",
    "5.6.9": "updateBatch",
    "5.6.10": "deleteBatch",
    "5.6.11": "upsertTemporal",
    "5.6.12": "appendAttrsTemporal",
    "5.6.13": "deleteAttrsTemporal",
    "5.6.14": "updateAttrInstanceTemporal",
    "5.6.15": "deleteAttrInstanceTemporal",
    "5.6.16": "deleteTemporal",
    "5.6.17": "mergeEntity",
    "5.6.18": "replaceEntity",
    "5.6.19": "replaceAttrs",
    "5.6.20": "mergeBatch",
    "5.6.21": "purgeEntity",
}
"""Operations that are distributed, by clause, as registrations name them (§4.20)."""
NO_ATTRIBUTES = frozenset({"id", "type", "@id", "@type", "@context", "scope", "expiresAt"})
_CONFLICT = encode(
    {
        "type": f"{NGSI_LD}errors/Conflict",
        "title": "The context source that holds this does not serve the operation.",
    }
)
_READ_AS = {
    "5.6.1": Nulls.REFUSED,
    "5.6.2": Nulls.DELETES,
    "5.6.3": Nulls.DELETES,
    "5.6.7": Nulls.REFUSED,
    "5.6.8": Nulls.REFUSED,
    "5.6.9": Nulls.DELETES,
    "5.6.17": Nulls.MERGES,
    "5.6.20": Nulls.MERGES,
}
_WHOLE = ("5.6.1", "5.6.7", "5.6.8")


def is_passed_on(operation: Operation) -> bool:
    """Whether other sources have a part in it. Observations, which are Sanpo's own operation, are for this broker."""
    return operation.clause in NAMES and not operation.path.startswith("temporal/entityOperations")


def check_readable(operation: Operation, call: Call, linked: Linked, data: Any) -> None:
    """What cannot be read here is sent to nobody (§5.5.4). Raises as the local operation would."""
    if operation.clause in ("5.6.11", "5.6.12"):
        temporal_fragment(call.reader(linked), data)
    nulls = _READ_AS.get(operation.clause)
    if nulls is not None:
        reader = call.reader(linked, nulls)
        reader.entity(data) if operation.clause in _WHOLE else reader.fragment(data)


def passed_on(call: Call) -> dict[str, str]:
    """The parameters that go on to a source: all but those that are about the way."""
    return {name: value for name, value in call.query.items() if name not in ("local", "via")}


def is_personal(call: Call, types: Sequence[str]) -> bool:
    known = personal_types(call.city)
    return any(each in known for each in types)


def types_in(body: dict[str, Any], linked: Linked) -> list[str]:
    given = body.get("type", body.get("@type"))
    listed = given if isinstance(given, list) else [given]
    return [linked.context.expand(each) for each in listed if isinstance(each, str)]


def without(body: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in names}


def taken_by(found: Sequence[Match]) -> set[str] | None:
    """The attributes that proxies hold for themselves; None for all."""
    taken: set[str] = set()
    for match in found:
        if match.registration.is_proxy:
            if match.attributes is None:
                return None
            taken |= match.attributes
    return taken


def conflict(request: Request) -> Outcome:
    """A proxy that does not serve the operation (§5.6.1.4)."""
    return Outcome(request, Answer(409, _CONFLICT))


def locally(operation: Operation, call: Call | None) -> Reply | None:
    """What is done here; None where nothing is left to do."""
    if call is None:
        return None
    try:
        return operation.handler(call)
    except DomainError as error:
        return on_error(call.city, error, call.headers)
