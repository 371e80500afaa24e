"""A city with a personal type of entity, for tests: meters of residents, an organisation with an agreement over them."""

from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sanpo.broker import entities
from sanpo.broker.entities import Place
from sanpo.consent import Decision, PublishedAgreement, decide
from sanpo.ground.actors import Actor, Client, Resident, System
from sanpo.ground.city import City
from sanpo.ground.plugins import Plugins, Service
from sanpo.journal import list_entries, list_uses_of, sequence
from tests.world import World

NAMES = "https://uri.etsi.org/ngsi-ld/default-context/"
METER, ENERGY, COLOUR, WHOSE, BESIDE = (NAMES + name for name in ("Meter", "energy", "colour", "dataSubject", "beside"))
TEXT = {"ja": "メーター", "en": "Meter"}
MANIFEST = {
    "entities": [
        {
            "name": "town.meter",
            "type": METER,
            "subject": WHOSE,
            "text": TEXT,
            "columns": [
                {"name": "energy_wh", "attribute": ENERGY, "text": TEXT},
                {"name": "colour", "attribute": COLOUR, "text": TEXT},
                {"name": "subject", "attribute": WHOSE, "text": TEXT},
                {"name": "beside", "attribute": BESIDE, "text": TEXT},
            ],
        }
    ]
}
OPERATOR = System("operator")


def with_meters(city: City) -> City:
    """The city with a service that declares meters."""
    service = Service("town", "tests.broker")
    service.__dict__["manifest"] = MANIFEST
    return replace(city, plugins=Plugins((*city.plugins.services, service)))


@dataclass(frozen=True)
class Town:
    """A city with residents and their meters."""

    world: World
    residents: list[Resident]

    @property
    def city(self) -> City:
        return self.world.city

    def place(self, actor: Actor) -> Place:
        return Place(self.city, actor)

    def agreement(self, *columns: str, owner: Any = None) -> PublishedAgreement:
        return self.world.agreement(
            owner,
            datasets=[{"name": "town.meter", "columns": list(columns)}],
            rule={"dimensions": [], "measures": list(columns[:1]), "functions": ["sum"], "min_subjects": 10},
            term={"first_day": date(2026, 3, 1), "last_day": date(2027, 2, 28), "grant_days": 180},
        )

    def client(self, agreement: PublishedAgreement, owner: Any = None) -> Client:
        return self.world.client(owner or self.world.university, agreement)

    def decide(self, agreement: PublishedAgreement, resident: Resident, decision: Decision) -> None:
        decide(self.city, resident, agreement.agreement_id, decision)

    def uses(self) -> list[dict[str, Any]]:
        """What the journal says of uses, newest first, once the sequencer has been there."""
        sequence(self.city)
        return [entry.body for entry in list_entries(self.city) if entry.kind == "use"]

    def uses_of_each(self) -> list[int]:
        """In how many entries each resident is."""
        sequence(self.city)
        return [len(list_uses_of(self.city, each)) for each in self.residents]

    def add_meter(
        self, number: int, residents: list[Resident], energy: int, colour: str = "red", beside: str = "urn:a:lamp"
    ) -> str:
        """A meter of these residents; returns its id."""
        now = self.place(OPERATOR).now()
        times = {"createdAt": now, "modifiedAt": now}
        whose = [f"urn:sanpo:resident:{each.resident_id}" for each in residents]
        doc: Any = {
            "id": f"urn:ngsi-ld:Meter:{number}",
            "type": [METER],
            **times,
            "attrs": {
                ENERGY: [{"type": "Property", "value": energy, **times}],
                COLOUR: [{"type": "Property", "value": colour, **times}],
                WHOSE: [{"type": "Relationship", "object": whose, **times}],
                BESIDE: [{"type": "Relationship", "object": beside, **times}],
            },
        }
        entities.create_entity(self.place(OPERATOR), doc)
        return str(doc["id"])


def build(city: City, count: int) -> Town:
    world = World(with_meters(city))
    return Town(world, world.residents(count))
