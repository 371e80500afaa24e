"""`POST /temporal/entityOperations/observations`: observations in bulk, as rows. A way of this city, not of the standard.

`{"@context": …, "observations": [[id, attribute, number, observedAt, unitCode?], …]}`.
"""

from typing import Any

from sanpo.broker.errors import BatchIsTooLarge, EntityIsInvalid, EntityNotFound
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.problems import problem_of
from sanpo.broker.ngsi_ld.routing import BODIES, MAX_BATCH_BYTES, Operation, parameters
from sanpo.broker.representation.checks import check_name, check_time
from sanpo.broker.store import encode
from sanpo.broker.temporal.ingest import Observation
from sanpo.broker.temporal.ingest import ingest as store_all

MAX_OBSERVATIONS = 100_000
_LEAST, _MOST = 4, 5
_MOST_FLOAT = 1e300


def observe(call: Call) -> Reply:
    """Adds observations to histories (as 5.6.12) and brings present values up to date (as 5.6.4), all at once."""
    data, linked = call.document
    rows = data.get("observations") if type(data) is dict else None
    if type(rows) is not list or not rows:
        raise EntityIsInvalid(where="observations", problem="is no array with at least one row")
    if len(rows) > MAX_OBSERVATIONS:
        raise BatchIsTooLarge(count=len(rows), limit=MAX_OBSERVATIONS)
    iris: dict[str, str] = {}
    found = [_observation(row, iris, linked.context) for row in rows]
    unknown = store_all(call.place, found)
    if not unknown:
        return NO_CONTENT
    done = sorted({each.entity_id for each in found} - unknown)
    errors = [
        {"entityId": each, "error": problem_of(call.city, EntityNotFound(entity_id=each))} for each in sorted(unknown)
    ]
    return Reply(207, encode({"success": done, "errors": errors}), JSON)


def _observation(row: Any, iris: dict[str, str], context: Any) -> Observation:
    if type(row) is not list or not _LEAST <= len(row) <= _MOST:
        raise EntityIsInvalid(
            where="observations", problem="holds what is no [id, attribute, number, observedAt, unitCode?]"
        )
    entity_id, term, number, at, *more = row
    if type(entity_id) is not str or (more and type(more[0]) is not str):
        raise EntityIsInvalid(where="observations", problem="holds an id or a unit that is no text")
    if type(number) not in (int, float) or not -_MOST_FLOAT < number < _MOST_FLOAT:
        raise EntityIsInvalid(where=str(term)[:80], problem="is no number that can be kept")
    iri = iris.get(term) if type(term) is str else None
    if iri is None:
        iri = iris[term] = context.expand(check_name(term, "attribute"))
    return Observation(entity_id, iri, float(number), _canonical(at, term), more[0] if more else None)


def _canonical(at: Any, term: str) -> str:
    text = check_time(at, f"{term}.observedAt")
    return text[:19] + (text[19:-1] + "000000")[:7] + "Z" if "." in text else text[:-1] + ".000000Z"


OPERATIONS = [
    Operation(
        "POST",
        "temporal/entityOperations/observations",
        observe,
        "5.6.12",
        parameters(),
        bodies=BODIES,
        max_body_bytes=MAX_BATCH_BYTES,
    )
]
