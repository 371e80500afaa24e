"""A small town: three residents, the city hall with an officer, a university and a company with an analyst each.

The tests of one module share a database and a web application, for speed; each has a town and a clock of its own.
"""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from anyio.from_thread import BlockingPortal
from litestar import Litestar
from litestar.testing import TestClient

from sanpo import app
from sanpo.ground.actors import Actor, Resident, Staff, System
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.config import Settings
from sanpo.ground.csrf import csrf_token
from sanpo.ground.db import APP_ROLE
from sanpo.ground.embedded import Embedded
from sanpo.people import (
    NewOrganisation,
    NewResident,
    Organisation,
    actor_of,
    add_staff,
    make_sign_in_link,
    register_organisation,
    register_residents,
)
from sanpo.people.actions import appoint_representative
from sanpo.people.model import Registered
from sanpo.people.sign_in import act_for, sign_in_with_link
from tests.conftest import START, open_client
from tests.people.authenticator import Authenticator

OPERATOR = System("operator")
YEAR = timedelta(days=365)
Client = Callable[[], TestClient[Any]]
Browser = Callable[[str], TestClient[Any]]
NAMES = ("佐藤 花子", "佐藤 一恵", "鈴木 太郎")


@dataclass(frozen=True)
class Town:
    """Who lives and works in the town, and short ways to sign them in."""

    city: City
    hanako: Registered
    kazue: Registered
    taro: Registered
    hall: Organisation
    university: Organisation
    company: Organisation
    officer_id: str
    researcher_id: str
    analyst_id: str

    def cookie(self, holder_id: str) -> str:
        """A fresh session of this holder, by a one-time link."""
        return sign_in_with_link(self.city, make_sign_in_link(self.city, OPERATOR, holder_id).token).token

    def resident(self, who: Registered) -> Resident:
        found = actor_of(self.city, cookie=self.cookie(who.resident_id), bearer=None)
        assert isinstance(found, Resident)
        return found

    def staff(self, staff_id: str) -> Staff:
        found = actor_of(self.city, cookie=self.cookie(staff_id), bearer=None)
        assert isinstance(found, Staff)
        return found

    def appoint(self, *, start: timedelta = timedelta(0), until: timedelta = YEAR, by: Actor = OPERATOR) -> int:
        """Kazue may act for Hanako, from and until so long after the start of the test."""
        return appoint_representative(
            self.city,
            by,
            self.hanako.resident_id,
            representative_id=self.kazue.resident_id,
            role="carer",
            valid_from=START + start,
            valid_until=START + until,
        )

    def acting(self) -> tuple[str, Resident]:
        """A session of Kazue, turned to Hanako: its token and actor."""
        token = act_for(self.city, self.resident(self.kazue), self.hanako.resident_id).token
        found = actor_of(self.city, cookie=token, bearer=None)
        assert isinstance(found, Resident)
        return token, found


@pytest.fixture(scope="session")
def house(embedded: Embedded, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city on a database that the module's tests fill one after another."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    settings = replace(
        Settings(),
        mode="test",
        home=tmp_path_factory.mktemp("house"),
        database_url=embedded.url(APP_ROLE, name),
        origin="http://testserver.local",
    )
    with psycopg.connect(embedded.url("postgres", "postgres"), autocommit=True) as conn:
        conn.execute(f"create database {name} template {template}")
        opened = app.open_city(settings, clock=FixedClock(START), pool=8)
        yield opened
        opened.db.close()
        conn.execute(f"drop database {name} with (force)")


@pytest.fixture
def city(house: City, clock: FixedClock) -> City:
    """The module's city at the hour of this test."""
    return replace(house, clock=clock)


@pytest.fixture
def client(web: Litestar, portal: BlockingPortal, city: City) -> Client:
    """Makes HTTP clients, each with cookies of its own."""
    web.state.city = city
    return lambda: open_client(web, portal)


@pytest.fixture
def town(city: City) -> Town:
    people = register_residents(
        city,
        OPERATOR,
        [
            NewResident(name, "よみ", f"三方市中央{n}", "中央", f"r{n}@example.jp", 1950 + n)
            for n, name in enumerate(NAMES)
        ],
    )
    hall, university, company = (
        register_organisation(city, OPERATOR, NewOrganisation(ja, en, kind, "tel:0", None))  # type: ignore[arg-type]
        for ja, en, kind in (
            ("三方市役所", "City Hall", "city"),
            ("三方大学", "University", "university"),
            ("三方電力", "Power", "company"),
        )
    )
    return Town(
        city,
        *people,
        hall,
        university,
        company,
        add_staff(city, OPERATOR, hall.organisation_id, role="officer", name="市川 係長"),
        add_staff(city, OPERATOR, university.organisation_id, role="analyst", name="大野 助教"),
        add_staff(city, OPERATOR, company.organisation_id, role="analyst", name="電田 さん"),
    )


@pytest.fixture
def device(city: City) -> Authenticator:
    """An honest authenticator at the city's own address."""
    return Authenticator(origin=city.settings.origin, rp_id="testserver.local")


@pytest.fixture
def browser(town: Town, client: Client) -> Browser:
    """A browser signed in as this holder; it sends the CSRF token of its session with every request."""

    def open_browser(holder_id: str) -> TestClient[Any]:
        http = client()
        cookie = town.cookie(holder_id)
        http.cookies.set("sanpo", cookie, domain="testserver.local")
        http.headers["x-csrf-token"] = csrf_token(town.city.keys, cookie)
        http.follow_redirects = False
        return http

    return open_browser
