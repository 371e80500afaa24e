"""Attributes of one entity: append, update, partial update, replace, delete (§5.6.2 to §5.6.5, §5.6.19)."""

from sanpo.broker import changing
from sanpo.broker.changing import Change
from sanpo.broker.entities import Place, Wanted, change_entity
from sanpo.broker.model import Instance
from sanpo.broker.representation.reading import Fragment


def append_attributes(
    place: Place, entity_id: str, fragment: Fragment, *, overwrite: bool = True, wanted: Wanted | None = None
) -> Change:
    """Adds attributes and instances; what is there is overwritten unless told otherwise."""
    return change_entity(
        place,
        entity_id,
        lambda doc, now: changing.append(doc, fragment, now, overwrite=overwrite),
        fragment["attrs"],
        wanted,
    )


def update_attributes(place: Place, entity_id: str, fragment: Fragment, *, wanted: Wanted | None = None) -> Change:
    """Replaces attributes that are there; the change names those that are not."""
    return change_entity(
        place, entity_id, lambda doc, now: changing.update(doc, fragment, now), fragment["attrs"], wanted
    )


def update_attribute(
    place: Place, entity_id: str, iri: str, instance: Instance, *, wanted: Wanted | None = None
) -> Change:
    """Changes members of one instance. Raises `AttributeNotFound`."""
    return change_entity(place, entity_id, lambda doc, now: changing.partial(doc, iri, instance, now), (iri,), wanted)


def replace_attribute(
    place: Place, entity_id: str, iri: str, instances: list[Instance], *, wanted: Wanted | None = None
) -> Change:
    """Replaces instances. Raises `AttributeNotFound`."""
    return change_entity(
        place, entity_id, lambda doc, now: changing.replace_attribute(doc, iri, instances, now), (iri,), wanted
    )


def delete_attribute(
    place: Place,
    entity_id: str,
    iri: str,
    *,
    dataset_id: str | None = None,
    every: bool = False,
    wanted: Wanted | None = None,
) -> Change:
    """Deletes one instance, or all. Raises `AttributeNotFound`."""
    return change_entity(
        place,
        entity_id,
        lambda doc, now: changing.delete_attribute(doc, iri, now, dataset_id=dataset_id, every=every),
        (),
        wanted,
    )
