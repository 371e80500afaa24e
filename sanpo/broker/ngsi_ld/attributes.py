"""`/entities/{id}/attrs` and below (§6.6, §6.7)."""

from typing import Any

from sanpo.broker import attributes as actions
from sanpo.broker.changing import SCOPE, Change
from sanpo.broker.errors import EntityIsInvalid
from sanpo.broker.ngsi_ld.calls import NO_CONTENT, Call, Reply
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.ngsi_ld.negotiation import JSON
from sanpo.broker.ngsi_ld.routing import BODIES, PATCHES, Operation, parameters
from sanpo.broker.ngsi_ld.shaping import check_id, wanted
from sanpo.broker.representation.checks import check_name, check_uri
from sanpo.broker.representation.reading import Nulls
from sanpo.broker.store import encode


def append(call: Call) -> Reply:
    """5.6.3 Append Attributes."""
    data, linked = call.document
    entity_id = check_id(call.segments[0])
    fragment = call.reader(linked, Nulls.DELETES).fragment(data)
    overwrite = "noOverwrite" not in call.options
    change = actions.append_attributes(
        call.place, entity_id, fragment, overwrite=overwrite, wanted=wanted(call, linked)
    )
    return _result(change)


def update(call: Call) -> Reply:
    """5.6.2 Update Attributes."""
    data, linked = call.document
    entity_id = check_id(call.segments[0])
    fragment = call.reader(linked, Nulls.DELETES).fragment(data)
    change = actions.update_attributes(call.place, entity_id, fragment, wanted=wanted(call, linked))
    return _result(change)


def partial(call: Call) -> Reply:
    """5.6.4 Partial Attribute Update."""
    data, linked = call.document
    entity_id, term, iri = _attribute(call, linked)
    _check_not_scope(iri)
    instance = call.reader(linked, Nulls.DELETES).partial(iri, term, _value_in(data, term))
    actions.update_attribute(call.place, entity_id, iri, instance, wanted=wanted(call, linked))
    return NO_CONTENT


def replace(call: Call) -> Reply:
    """5.6.19 Replace Attribute."""
    data, linked = call.document
    entity_id, term, iri = _attribute(call, linked)
    _check_not_scope(iri)
    instances = call.reader(linked).instances(iri, term, _value_in(data, term))
    actions.replace_attribute(call.place, entity_id, iri, instances, wanted=wanted(call, linked))
    return NO_CONTENT


def delete(call: Call) -> Reply:
    """5.6.5 Delete Attribute."""
    linked = call.linked
    entity_id, _, iri = _attribute(call, linked)
    dataset_id = call.query.get("datasetId") or None
    if dataset_id == "@none":
        dataset_id = None
    if dataset_id is not None:
        check_uri(dataset_id, "datasetId")
    actions.delete_attribute(
        call.place, entity_id, iri, dataset_id=dataset_id, every=call.flag("deleteAll"), wanted=wanted(call, linked)
    )
    return NO_CONTENT


def _attribute(call: Call, linked: Linked) -> tuple[str, str, str]:
    """The entity's id, and the attribute as written and as IRI."""
    term = check_name(call.segments[1], "attribute")
    return check_id(call.segments[0]), term, SCOPE if term == "scope" else linked.context.expand(term)


def _check_not_scope(iri: str) -> None:
    if iri == SCOPE:
        raise EntityIsInvalid(where="scope", problem="cannot be changed in part")


def _value_in(data: Any, term: str) -> Any:
    """The attribute itself, also where it stands under its name."""
    return data[term] if isinstance(data, dict) and data.keys() == {term} else data


def _result(change: Change) -> Reply:
    """204 where all was done, else an UpdateResult (§5.2.18), which names attributes by their IRIs."""
    if not change.refused:
        return NO_CONTENT
    refused = [{"attributeName": iri, "reason": why} for iri, why in change.refused.items()]
    return Reply(207, encode({"updated": change.done, "notUpdated": refused}), JSON)


OPERATIONS = [
    Operation("POST", "entities/{}/attrs", append, "5.6.3", parameters("options", "type"), bodies=BODIES),
    Operation("PATCH", "entities/{}/attrs", update, "5.6.2", parameters("options", "type"), bodies=PATCHES),
    Operation("PATCH", "entities/{}/attrs/{}", partial, "5.6.4", parameters("options", "type"), bodies=PATCHES),
    Operation("PUT", "entities/{}/attrs/{}", replace, "5.6.19", parameters("options", "type"), bodies=BODIES),
    Operation("DELETE", "entities/{}/attrs/{}", delete, "5.6.5", parameters("type", "datasetId", "deleteAll")),
]
