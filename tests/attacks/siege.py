"""A city worth attacking, small and full, and what every refusal must be: clear, and silent about the inside."""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

from anyio.from_thread import BlockingPortal
from litestar import Litestar
from litestar.testing import TestClient

from sanpo.cleanroom import Answer, ask
from sanpo.consent import Decision, PublishedAgreement, decide
from sanpo.ground.city import City
from sanpo.ground.clock import FixedClock
from sanpo.ground.csrf import csrf_token
from sanpo.journal import sequence
from sanpo.people import SecretProof, create_client, issue_token, make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.conftest import open_client
from tests.journeys.town import fill_lake
from tests.world import OPERATOR, World

SQL = "select count(*), avg(energy_wh) from energy.readings"
COOKIE = "sanpo"
INSIDE = re.compile(
    r"""traceback|file\s+"[^"]*"|\.py\b|site-packages|psycopg|sqlstate|duckdb|litestar|msgspec|procrastinate|granian"""
    r"""|set_config|current_setting|pg_advisory|read_parquet\(\$|syntax\ error\ at\ or\ near|postgres(ql)?://"""
    r"""|(from|into|update|join)\s+(consent|people|journal|returns|ground)\.\w+|root:x:0""",
    re.IGNORECASE,
)
"""What only the inside of the house knows: its sources, its libraries, its statements, its machine."""


class Siege:
    """Fourteen metered residents; three agreements that the first eleven gave; one withdrawal, one use, one notice."""

    def __init__(self, city: City, clock: FixedClock, web: Litestar, portal: BlockingPortal) -> None:
        self.city, self.clock, self.web, self.portal, self.world = city, clock, web, portal, World(city)
        self.residents = self.world.residents(14)
        fill_lake(city, [resident.subject_no for resident in self.residents])
        self.agreement = self.world.agreement()
        self.sibling = self.world.agreement(retention_days=30)
        self.foreign = self.world.agreement(self.world.company)
        for agreement in (self.agreement, self.sibling, self.foreign):
            self.world.give(agreement, self.residents[:11])
        self.receipt_id = self.decide(11, Decision.GIVE)
        self.decide(11, Decision.WITHDRAW)
        self.answer: Answer = ask(city, self.world.client(self.world.university, self.agreement), None, SQL)
        sequence(city)
        self.study, self.trade = (
            create_client(city, OPERATOR, organisation.organisation_id, name="program")
            for organisation in (self.world.university, self.world.company)
        )
        self.analyst = self.world.staff(self.world.university, "analyst")

    def decide(self, place: int, decision: Decision) -> str:
        """A decision of this resident on the first agreement; returns the receipt's id."""
        event_id = decide(self.city, self.residents[place], self.agreement.agreement_id, decision).event_id
        assert event_id is not None
        return event_id

    def stranger(self) -> TestClient[Any]:
        """A browser or program that nobody has signed in."""
        http = open_client(self.web, self.portal)
        http.follow_redirects = False
        return http

    def session(self, holder_id: str) -> str:
        """The cookie of a fresh session of this holder."""
        return sign_in_with_link(self.city, make_sign_in_link(self.city, OPERATOR, holder_id).token).token

    def browser(self, holder_id: str) -> TestClient[Any]:
        """A browser signed in as this holder; it sends the token of its session with every request."""
        http, cookie = self.stranger(), self.session(holder_id)
        http.cookies.set(COOKIE, cookie, domain="testserver.local")
        http.headers["x-csrf-token"] = csrf_token(self.city.keys, cookie)
        return http

    def token(self, made: Any, agreement: PublishedAgreement | None) -> str:
        """An access token of this client, for this agreement."""
        scope = None if agreement is None else f"agreement:{agreement.agreement_id}"
        return issue_token(self.city, SecretProof(made.client_id, made.secret), scope=scope).token

    def program(self, made: Any = None, agreement: PublishedAgreement | None = None) -> TestClient[Any]:
        """A program with a token: of the university for its first agreement, where nothing else is said."""
        http = self.stranger()
        token = self.token(made or self.study, agreement or (self.agreement if made is None else None))
        http.headers["authorization"] = f"Bearer {token}"
        return http

    def refused(self, response: Any, *statuses: int, code: str | None = None) -> str:
        """The body of a refusal, once it has been seen to be one and to tell nothing of the inside."""
        body: str = response.text
        assert response.status_code in statuses, (response.status_code, body[:500])
        found = INSIDE.search(_without_echo(body))
        assert found is None, f"the refusal shows {found[0]!r}"
        for secret in (str(self.city.settings.home), self.city.lake_url, self.city.settings.database_url):
            assert secret not in body
        if code is not None:
            assert response.json()["code"] == code
        return body


def _without_echo(body: str) -> str:
    """The body without the piece of the asker's own text that the clean room points at."""
    try:
        echo = json.dumps(json.loads(body)["fields"]["found"], ensure_ascii=False)[1:-1]
    except (ValueError, KeyError, TypeError):
        return body
    return body.replace(echo, "") if echo else body


def basic(client_id: str, secret: str) -> dict[str, str]:
    """The header of HTTP Basic authentication."""
    return {"Authorization": "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()}


def same_but_for_ids(bodies: Sequence[str], ids: Sequence[str]) -> bool:
    """Whether the bodies are the same, byte for byte, once the ids that were asked for are taken out."""
    return len({body.replace(each, "ID") for body, each in zip(bodies, ids, strict=True)}) == 1
