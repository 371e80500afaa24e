"""A subscription of NGSIv2 as the broker works with it: which changes it is told. Pure.

It lies in the same table as those of NGSI-LD, with what the client wrote under `v2`: the outbox, order, retries, throttling
and consent are the same. Only what fits, when, and how it is written differ.
"""

from typing import Any

from sanpo.broker.model import default_instance
from sanpo.broker.ngsi_v2.names import iri_of
from sanpo.broker.ngsi_v2.selecting import expression_in, read_service_paths, selectors_in
from sanpo.broker.ngsi_v2.values import type_and_value
from sanpo.broker.ngsi_v2.writing import metadata_of
from sanpo.broker.selection import Part
from sanpo.broker.subscriptions.model import Item
from sanpo.broker.subscriptions.model import Subscription as OfNgsiLd
from sanpo.ground.lazy import lazy

ALTERATIONS = ("entityCreate", "entityChange", "entityUpdate", "entityDelete")
DEFAULT_ALTERATIONS = ("entityCreate", "entityChange")
SINGLE_FORMATS = ("simplifiedNormalized", "simplifiedKeyValues")


class Subscription(OfNgsiLd):
    """One subscription whose `doc` has a member `v2` (`subscribing.py`)."""

    @property
    def own(self) -> Any:
        """What the client wrote."""
        return self.doc["v2"]

    @property
    def told(self) -> Any:
        """How notifications are to be written."""
        return self.own["notification"]

    @property
    def condition(self) -> Any:
        return self.own["subject"].get("condition", {})

    @property
    def most_items(self) -> int:
        """A notification that is made to a template is about one entity."""
        is_single = "httpCustom" in self.told or "mqttCustom" in self.told
        return 1 if is_single or self.told.get("attrsFormat") in SINGLE_FORMATS else super().most_items

    @lazy
    def attributes(self) -> frozenset[str]:
        """Those whose change is told; none for any."""
        return frozenset(iri_of(name) for name in self.condition.get("attrs", ()))

    @lazy
    def parts(self) -> list[Part]:
        paths = read_service_paths(self.doc.get("v2path"))
        found = [*selectors_in(self.own["subject"]["entities"]), *expression_in(self.condition.get("expression", {}))]
        return found if paths is None else [*found, paths]

    def is_fired_by(self, item: Item) -> bool:
        """By the kinds of alteration that are asked for."""
        asked = self.condition.get("alterationTypes") or DEFAULT_ALTERATIONS
        match item.kind:
            case "deleted":
                return "entityDelete" in asked
            case "created":
                return "entityCreate" in asked and (
                    not self.attributes or not self.attributes.isdisjoint(item.doc["attrs"])
                )
            case _:
                written = frozenset((*item.added, *item.updated, *item.removed))
                about = written if "entityUpdate" in asked else self.changed(item) if "entityChange" in asked else None
                return bool(about) and (not self.attributes or not self.attributes.isdisjoint(about or ()))

    def changed(self, item: Item) -> frozenset[str]:
        """Attributes of which the client sees something else than before."""
        return frozenset((*item.added, *item.removed, *(iri for iri in item.updated if self._differs(item, iri))))

    def _differs(self, item: Item, iri: str) -> bool:
        old = default_instance(list(item.before.get(iri, ())))
        new = default_instance(item.doc["attrs"].get(iri, []))
        if old is None or new is None:
            return old is not new
        with_metadata = self.condition.get("notifyOnMetadataChange", True)
        return type_and_value(old) != type_and_value(new) or (with_metadata and metadata_of(old) != metadata_of(new))

    def alteration(self, item: Item) -> str:
        """What happened, in the words of NGSIv2."""
        if item.kind in ("created", "deleted"):
            return "entityCreate" if item.kind == "created" else "entityDelete"
        return "entityChange" if self.changed(item) else "entityUpdate"
