"""A city whose residents have meters: readings and homes in a real lake, an agreement, and grants."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import pyarrow as pa

from sanpo.cleanroom import Answer, ask
from sanpo.consent import Decision, PublishedAgreement, decide
from sanpo.ground.actors import Client, Resident
from sanpo.ground.city import City
from sanpo.journal import Entry, list_entries, list_uses_of
from sanpo.lake import append, get_dataset, replace
from sanpo.people import NewOrganisation, Organisation, register_organisation
from tests.world import OPERATOR, WEBHOOK, World

AREAS = ("中央", "港")
BEGIN = datetime(2026, 3, 2, 15, 0, tzinfo=UTC)  # midnight in Tokyo, the beginning of a Tuesday
TOTAL = "select count(*), sum(energy_wh) from energy.readings"
BY_DWELLING = "select dwelling_type, count(*), sum(energy_wh) from energy.readings group by dwelling_type"
BY_AREA = "select area, count(*), sum(energy_wh) from energy.readings group by area"


def dwelling_of(place: int) -> str:
    """Twenty detached homes, twelve flats, eight terraced."""
    return "detached" if place < 20 else "apartment" if place < 32 else "terraced"


def fill_lake(city: City, residents: Sequence[Resident], *, quarters: int = 8) -> None:
    """`quarters` readings for each; the energy of one reading is 100 Wh plus the resident's place in the list."""
    rows = [
        (resident.subject_no, resident.subject_no, at, local, 100 + place)
        for place, resident in enumerate(residents)
        for step in range(quarters)
        for at in (BEGIN + timedelta(minutes=15 * step),)
        for local in ((at + timedelta(hours=9)).replace(tzinfo=None),)
    ]
    append(city, "energy.readings", _table(city, "energy.readings", rows))
    homes = [
        (resident.subject_no, AREAS[place % 2], dwelling_of(place), "gas", 1 + place % 4)
        for place, resident in enumerate(residents)
    ]
    replace(city, "energy.homes", _table(city, "energy.homes", homes))


def _table(city: City, dataset: str, rows: list[tuple[object, ...]]) -> pa.Table:
    schema = get_dataset(city, dataset).schema
    return pa.table(dict(zip(schema.names, map(list, zip(*rows, strict=True)), strict=True)), schema=schema)


class Metered:
    """A city with 40 metered homes, half of them in each area, and the university that asks."""

    def __init__(self, city: City) -> None:
        self.city, self.world = city, World(city)
        self.people: list[Resident] = self.world.residents(40)
        fill_lake(city, self.people)
        self._numbers = count(1)

    def walk(self) -> "Walk":
        """A question's world of its own: a fresh agreement without grants, of an organisation that was told nothing yet."""
        number = next(self._numbers)
        title = {"ja": f"地域の電力の使われ方 {number}", "en": f"How the district uses power {number}"}
        new = NewOrganisation(f"大学{number}", f"University {number}", "university", "lab@example.jp", WEBHOOK)
        asker = register_organisation(self.city, OPERATOR, new)
        return Walk(self.city, self.world, self.people, asker, self.world.agreement(asker, title=title))


@dataclass(frozen=True)
class Walk:
    """An agreement, whoever grants it, and what is asked under it. People are named by their place in the list."""

    city: City
    world: World
    people: list[Resident]
    organisation: Organisation
    agreement: PublishedAgreement

    @property
    def asker(self) -> Client:
        return self.world.client(self.organisation, self.agreement)

    def give(self, *places: int) -> None:
        self.world.give(self.agreement, [self.people[place] for place in places])

    def withdraw(self, place: int) -> None:
        decide(self.city, self.people[place], self.agreement.agreement_id, Decision.WITHDRAW)

    def ask(self, sql: str = BY_AREA) -> Answer:
        return ask(self.city, self.asker, None, sql)

    def entries(self, kind: str) -> list[Entry]:
        """The journal's entries of this kind under this agreement."""
        entries = [entry for entry in list_entries(self.city, limit=200) if entry.kind == kind]
        return [entry for entry in entries if entry.body["agreement_id"] == self.agreement.agreement_id]

    def seen_by(self, place: int) -> list[str]:
        """The uses under this agreement that this resident finds in their own list."""
        uses = list_uses_of(self.city, self.people[place], agreement_nos=[self.agreement.agreement_no])
        return [entry.entry_id for entry in uses]
