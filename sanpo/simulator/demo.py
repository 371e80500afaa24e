"""The demo's city: built once from a plan, through the same actions as everybody, then only opened."""

import csv
import gzip
import hashlib
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from sanpo.cleanroom import ask
from sanpo.consent import Decision, Draft, PublishedAgreement, approve_agreement, decide, publish_agreement
from sanpo.ground.actors import Client, Resident, System
from sanpo.ground.city import City
from sanpo.journal import sequence
from sanpo.people import (
    NewHousehold,
    NewOrganisation,
    NewResident,
    Organisation,
    add_staff,
    create_client,
    make_sign_in_link,
    register_households,
    register_organisation,
    register_residents,
)
from sanpo.services.cash import flow_purchases, publish_indicators
from sanpo.services.energy import Home as MeteredHome
from sanpo.services.energy import (
    import_readings,
    publish_comparison,
    publish_homes,
    register_homes,
    register_meters,
)
from sanpo.simulator.agreements import research, tariff_design
from sanpo.simulator.load import STEP, load_wh, temperature_c
from sanpo.simulator.population import Home, make_homes
from sanpo.simulator.shops import open_shops
from sanpo.simulator.stations import set_up_stations

OPERATOR = System("operator")
SIMULATOR = System("simulator")
DAYS = 49
OPTED_IN_PERCENT = 70
SHOPPERS = 100
QUESTIONS = (
    "SELECT area, avg(energy_wh) FROM energy.readings GROUP BY area",
    "SELECT hour(start_at) AS hour, avg(energy_wh) FROM energy.readings GROUP BY hour",
)


@dataclass(frozen=True)
class DemoPlan:
    """What the city is built from. The same plan finds the same city again."""

    residents: int = 2_000
    households: int = 100
    seed: int = 1
    data: Path | None = None
    timezone: str | None = None

    @property
    def folder(self) -> str:
        """Name of the folder below SANPO_HOME: plain for the default plan."""
        if self == DemoPlan():
            return "demo"
        return "demo-" + hashlib.sha256(repr(self).encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Built:
    """Who the printed links are for."""

    resident_id: str
    analyst_id: str
    officer_id: str
    agreements: list[str]
    client_id: str
    client_secret: str
    clerk_id: str = ""
    """Empty in a city that was built before it had shops."""


@dataclass(frozen=True)
class Metered:
    """A home with a meter, and the resident who holds its contract."""

    home: Home
    resident: Resident
    meter_id: str


def build_demo(city: City, plan: DemoPlan) -> None:
    """Builds the city unless it is there. What a broken-off run left is not taken for a city."""
    file = city.settings.home / "demo.json"
    if file.exists():
        return
    bars = Progress(TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=Console(stderr=True))
    with bars:
        built = _Builder(city, plan, _stepper(bars)).build()
    file.write_text(json.dumps(asdict(built)), encoding="utf-8")


def print_way_in(city: City, *, seconds: float) -> None:
    """The address, one sign-in link for each of the three sides, and a question to try."""
    built = Built(**json.loads((city.settings.home / "demo.json").read_text(encoding="utf-8")))
    out = Console()

    def link(holder_id: str) -> str:
        return make_sign_in_link(city, OPERATOR, holder_id, lifetime=timedelta(hours=12)).url

    out.rule(f"Sanpo · ready in {seconds:.0f} s")
    # Links are printed as they are, never folded: they are there to be clicked and copied.
    for line in (
        f"{city.settings.city_name_ja} / {city.settings.city_name_en}   {city.settings.origin}",
        "",
        "住民 resident",
        f"  {link(built.resident_id)}",
        "分析者 company's analyst",
        f"  {link(built.analyst_id)}",
        "職員 city officer",
        f"  {link(built.officer_id)}",
        *(("店員 shop's till", f"  {link(built.clerk_id)}") if built.clerk_id else ()),
        "",
        "Try paying: open the resident's link and, in another browser, the shop's. The till enters a sum and reads the",
        "  code that the resident shows (お金 → 自分のコードを見せる), or shows its own for the resident's 支払う.",
        "Each link signs in once. Ctrl-C ends the city; its data stays in",
        f"  {city.settings.home}",
        "Try in another terminal:",
        f'  SANPO_HOME="{city.settings.home}" {Path(sys.argv[0])} ask --agreement {built.agreements[0]} \\',
        f'    "{QUESTIONS[0]}"',
    ):
        out.print(line, soft_wrap=True, markup=False, highlight=False)


def _stepper(bars: Progress) -> Callable[[str], Callable[[], None]]:
    def step(name: str) -> Callable[[], None]:
        task = bars.add_task(name, total=None)
        return lambda: bars.update(task, total=1, completed=1)

    return step


class _Builder:
    """Builds one city, a step after the other. Everything random comes from the plan's seed."""

    def __init__(self, city: City, plan: DemoPlan, step: Callable[[str], Callable[[], None]]) -> None:
        self.city = city
        self.plan = plan
        self.step = step
        self.rng = np.random.default_rng(plan.seed)
        self.today = city.now().astimezone(city.settings.zone).date()

    def build(self) -> Built:
        done = self.step("Organisations")
        hall = self._organisation("三方市役所", "Sanpo City Hall", "city", "energy@city.example.jp")
        university = self._organisation("三方大学", "Sanpo University", "university", "lab@univ.example.jp")
        company = self._organisation("三方電力", "Sanpo Power", "company", "plans@power.example.jp")
        officer = self._staff(hall, "officer", "市の担当者")
        analyst = self._staff(company, "analyst", "電力会社の分析者")
        self._staff(university, "analyst", "大学の研究者")
        secret = create_client(self.city, OPERATOR, university.organisation_id, name="load study")
        done()
        metered = self._metered()
        agreements = self._agreements(hall, university, company)
        self._opt_in(metered, agreements)
        done = self.step("Weather stations and river gauges")
        set_up_stations(self.city, self.rng)
        done()
        self._ask(university, agreements[0])
        clerk = self._shops([one.resident for one in metered])
        return Built(
            metered[0].resident.resident_id,
            analyst,
            officer,
            [agreement.agreement_id for agreement in agreements],
            secret.client_id,
            secret.secret,
            clerk,
        )

    def _shops(self, residents: list[Resident]) -> str:
        """Who stands at the first shop's till."""
        done = self.step("Shops, and what was bought there")
        opened = open_shops(self.city, residents[:SHOPPERS], self.rng)
        flow_purchases(self.city)
        done()
        return opened[0].staff.staff_id

    def _organisation(self, ja: str, en: str, kind: Any, contact: str) -> Organisation:
        return register_organisation(self.city, OPERATOR, NewOrganisation(ja, en, kind, contact))

    def _staff(self, organisation: Organisation, role: Any, name: str) -> str:
        return add_staff(self.city, OPERATOR, organisation.organisation_id, role=role, name=name, email=None)

    def _metered(self) -> list[Metered]:
        """Registers all people and homes; the first homes have meters."""
        done = self.step(f"{self.plan.residents:,} residents")
        homes = make_homes(self.plan.seed, self.plan.residents)
        people = [person for home in homes for person in home.people]
        registered = register_residents(
            self.city,
            SIMULATOR,
            [NewResident(p.name, p.name_kana, p.address, p.area, p.email, p.birth_year) for p in people],
        )
        numbers = iter(registered)
        members = [[next(numbers) for _ in home.people] for home in homes]
        register_households(
            self.city,
            SIMULATOR,
            [
                NewHousehold(home.area, tuple(one.subject_no for one in who))
                for home, who in zip(homes, members, strict=True)
            ],
        )
        done()
        names = self._meter_names()
        metered = [
            Metered(home, Resident(who[0].resident_id, who[0].subject_no, who[0].resident_id), name)
            for home, who, name in zip(homes, members, names, strict=False)
        ]
        done = self.step(f"{len(metered):,} meters with {DAYS // 7} weeks of readings")
        register_meters(self.city, OPERATOR, {one.meter_id: one.resident.subject_no for one in metered})
        register_homes(
            self.city,
            OPERATOR,
            [
                MeteredHome(
                    m.resident.subject_no, m.home.area, m.home.dwelling_type, m.home.heating_type, m.home.occupants
                )
                for m in metered
            ],
        )
        publish_homes(self.city, OPERATOR)
        self._readings(metered)
        done()
        return metered

    def _meter_names(self) -> list[str]:
        """The meters of the file, or made-up ones."""
        if self.plan.data is None:
            return [f"M{number:06}" for number in range(self.plan.households)]
        opened = gzip.open if self.plan.data.suffix == ".gz" else open
        with opened(self.plan.data, "rt", encoding="utf-8", newline="") as file:
            return list(dict.fromkeys(row["meter_id"] for row in csv.DictReader(file)))

    def _readings(self, metered: list[Metered]) -> None:
        if self.plan.data is not None:
            zone = self.plan.timezone or self._zone_of_file()
            import_readings(self.city, OPERATOR, self.plan.data, timezone=zone, skip_bad=True)
            return
        zone_info = self.city.settings.zone
        first = datetime.combine(self.today - timedelta(days=DAYS), time(), zone_info)
        temperature = temperature_c(DAYS, first, self.rng)
        starts = [(first + at * STEP).strftime("%Y-%m-%dT%H:%M:%S%z") for at in range(len(temperature))]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "readings.csv"
            with file.open("w", encoding="utf-8") as out:
                out.write("meter_id,start,kwh\n")
                for one in metered:
                    load = load_wh(one.home, first, temperature, self.rng)
                    out.writelines(
                        f"{one.meter_id},{start},{wh / 1000:.3f}\n" for start, wh in zip(starts, load, strict=True)
                    )
            import_readings(self.city, OPERATOR, file)

    def _zone_of_file(self) -> str | None:
        """A file from elsewhere names its offset only: if it is not the city's, a zone with that fixed offset."""
        assert self.plan.data is not None  # noqa: S101  # asked for real readings only
        opened = gzip.open if self.plan.data.suffix == ".gz" else open
        with opened(self.plan.data, "rt", encoding="utf-8", newline="") as file:
            start = datetime.fromisoformat(next(csv.DictReader(file))["start"])
        offset = start.utcoffset() or timedelta(0)
        if start.astimezone(self.city.settings.zone).utcoffset() == offset:
            return None
        hours = round(offset.total_seconds() / 3600)
        return f"Etc/GMT{-hours:+d}" if hours else "Etc/GMT"

    def _agreements(
        self, hall: Organisation, university: Organisation, company: Organisation
    ) -> list[PublishedAgreement]:
        done = self.step("Agreements, published and approved")
        published = [
            self._agreement(university, research(self.today)),
            self._agreement(company, tariff_design(self.today)),
            publish_comparison(self.city, OPERATOR, hall.organisation_id),
            publish_indicators(self.city, OPERATOR, hall.organisation_id),
        ]
        approved = [approve_agreement(self.city, OPERATOR, one.agreement_id) for one in published]
        done()
        return approved

    def _agreement(self, organisation: Organisation, draft: Draft) -> PublishedAgreement:
        return publish_agreement(self.city, OPERATOR, draft, organisation_id=organisation.organisation_id)

    def _opt_in(self, metered: list[Metered], agreements: list[PublishedAgreement]) -> None:
        """Most homes agree, each on its own account; the first resident has decided on nothing yet."""
        done = self.step("Residents decide")
        for one in metered[1:]:
            for agreement in agreements:
                if self.rng.integers(100) < OPTED_IN_PERCENT:
                    decide(self.city, one.resident, agreement.agreement_id, Decision.GIVE)
        done()

    def _ask(self, university: Organisation, agreement: PublishedAgreement) -> None:
        done = self.step("First questions")
        client = Client("simulator", university.organisation_id, university.organisation_no, agreement.agreement_id)
        for sql in QUESTIONS:
            ask(self.city, client, agreement.agreement_id, sql)
        sequence(self.city)
        done()
