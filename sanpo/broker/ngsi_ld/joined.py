"""Entities with those that they lead to: inside the relationships (`join=inline`), or beside (`join=flat`) (§4.5.23)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sanpo.broker.joining import find_linked
from sanpo.broker.language.projection import Projection, omit, pick
from sanpo.broker.model import Instance, objects_of
from sanpo.broker.ngsi_ld.calls import Call
from sanpo.broker.ngsi_ld.shaping import Shape, ids_in, join_level

RELATIONSHIPS = ("Relationship", "ListRelationship")


@dataclass(frozen=True)
class Joined:
    """How one answer shows entities with what they are linked to."""

    shape: Shape
    linked: dict[str, Any]
    level: int

    def inline(self, doc: Any) -> Any:
        return self._inside(self.shape.projected(doc), self.level, self.shape.picked, self.shape.omitted)

    def flat(self, docs: Sequence[Any]) -> list[Any]:
        """Each entity once, those that were asked for first."""
        found: dict[str, Any] = {}
        for doc in docs:
            found.setdefault(doc["id"], self.shape.projected(doc))
        for doc in docs:
            shown = self.shape.projected(doc)
            for other_id, other in self._beside(shown, self.level, self.shape.picked, self.shape.omitted):
                found.setdefault(other_id, other)
        return [self.shape.writer.entity(doc) for doc in found.values()]

    def _inside(self, shown: Any, level: int, picked: Projection | None, omitted: Projection | None) -> Any:
        written = self.shape.writer.entity(shown)
        if level == 0:
            return written
        for iri, instances in shown["attrs"].items():
            if instances[0]["type"] not in RELATIONSHIPS:
                continue
            name = self.shape.writer.context.compact(iri)
            below = (_below(picked, iri), _below(omitted, iri))
            for at, instance in enumerate(instances):
                nested = [self._inside(_projected(doc, *below), level - 1, *below) for doc in self._docs(instance)]
                if nested:
                    self._put(written, name, at, instance, nested)
        return written

    def _put(self, written: Any, name: str, at: int, instance: Instance, nested: list[Any]) -> None:
        single = isinstance(instance.get("object"), str)
        value = nested[0] if single else nested
        if self.shape.writer.format != "simplified":
            target = written[name][at] if isinstance(written[name], list) else written[name]
            target["entity" if single else "entityList"] = value
        elif isinstance(written[name], dict) and "dataset" in written[name]:
            written[name]["dataset"][instance.get("datasetId", "@none")] = value
        else:
            written[name] = value

    def _beside(
        self, shown: Any, level: int, picked: Projection | None, omitted: Projection | None
    ) -> Iterator[tuple[str, Any]]:
        if level == 0:
            return
        for iri, instances in shown["attrs"].items():
            below = (_below(picked, iri), _below(omitted, iri))
            for instance in instances:
                for doc in self._docs(instance):
                    other = _projected(doc, *below)
                    yield doc["id"], other
                    yield from self._beside(other, level - 1, *below)

    def _docs(self, instance: Instance) -> list[Any]:
        return [self.linked[each] for each in objects_of(instance) if each in self.linked]


def joined(call: Call, values: Any, shape: Shape, docs: Sequence[Any]) -> Joined | None:
    """What the answer must be joined with, None where no join is asked for."""
    level = join_level(values)
    if not level:
        return None
    without = ids_in(values, "containedBy")
    return Joined(shape, find_linked(call.place, [shape.projected(doc) for doc in docs], level, without), level)


def _below(projection: Projection | None, iri: str) -> Projection | None:
    return None if projection is None else projection.below(iri)


def _projected(doc: Any, picked: Projection | None, omitted: Projection | None) -> Any:
    if picked is not None:
        doc = pick(picked, doc)
    return doc if omitted is None else omit(omitted, doc)
