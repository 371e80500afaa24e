"""What OpenAPI promises, held against generated requests of every role: no crash, no status, type or body undocumented.

Half of the identifiers in paths are real ones, so that requests reach what lies behind them. The default suite always
asks the same; the long one asks much more, by chance.
"""

from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any, NamedTuple

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.python.asgi import ASGIClient
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from sanpo.consent import publish_agreement
from sanpo.consent.actions import list_history
from sanpo.ground.ids import id_of
from sanpo.ledger import Account, Ledger, Transfer, create_accounts, open_ledger, post
from sanpo.people import add_staff, create_client
from tests.attacks.siege import COOKIE, Siege
from tests.chance import LONG
from tests.consent.drafts import draft
from tests.world import OPERATOR

EXAMPLES, MANY_EXAMPLES = 1, 30 if LONG > 1 else 4
"""Generated requests for each operation, each way (right and wrong) and each role."""
OPERATIONS = 39
CHECKS: Any = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
]
FUZZED = 13
"""The resident who decides by chance; nobody else's test counts on them."""
RETENTION_DAYS = count(100)
Headers = dict[str, str]
Known = dict[str, list[str]]
DISTRICTS = {
    "people": ("/oauth", "/.well-known", "/api/people"),
    "journal": ("/api/journal",),
    "consent": ("/api/consent",),
    "ledger": ("/api/ledger",),
    "others": ("/api/returns", "/api/cleanroom", "/api/energy", "/api/lake", "/api/broker", "/api/cash"),
}
ROLES: dict[str, Callable[[Siege], Headers]] = {
    "anonymous": lambda siege: {},
    "resident": lambda siege: signed_in(siege, siege.residents[FUZZED].resident_id),
    "officer": lambda siege: signed_in(siege, siege.world.officer.staff_id),
    "analyst": lambda siege: signed_in(siege, siege.analyst.staff_id),
    "client": lambda siege: {"authorization": f"Bearer {siege.token(siege.study, siege.agreement)}"},
}


def signed_in(siege: Siege, holder_id: str) -> Headers:
    http = siege.browser(holder_id)
    return {"cookie": f"{COOKIE}={http.cookies[COOKIE]}", "x-csrf-token": http.headers["x-csrf-token"]}


@pytest.fixture(scope="session")
def operations(siege: Siege) -> list[Any]:
    schema = schemathesis.openapi.from_asgi("/schema/openapi.json", siege.web)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.fixture(scope="session")
def real(siege: Siege) -> Known:
    """Identifiers that exist, by the name of the parameter: of things that may be ended, closed or taken away."""
    city, university = siege.city, siege.world.university.organisation_id
    program = siege.program()
    open_ledger(city, OPERATOR, Ledger(392, "JPY", 0, "円"))
    holder = siege.residents[FUZZED].subject_no
    create_accounts(city, [Account(1, 392, 1, subject_no=holder), Account(2, 392, 1)])
    post(city, [Transfer(3, 1, 2, 5, 392, 1)])
    return {
        "organisation_id": [university, siege.world.company.organisation_id],
        "client_id": [create_client(city, OPERATOR, university, name="spare").client_id],
        "staff_id": [add_staff(city, OPERATOR, university, role="analyst", name="職員", email=None)],
        "agreement_id": [siege.agreement.agreement_id, siege.foreign.agreement_id],
        "event_id": [siege.receipt_id],
        "entry_id": [siege.answer.entry_id, list_history(city, siege.residents[0])[0].entry_id],
        "notice_id": [program.get("/api/consent/notices").json()[0]["notice_id"]],
        "account_id": [id_of("acc", 1), id_of("acc", 2)],
        "transfer_id": [id_of("trf", 3)],
        "level": ["0", "entries"],
        "tile_path": ["000", "000.p/1"],
        "verdict": ["approve", "reject", "close"],
        "representation_no": ["1"],
    }


def test_openapi_names_every_operation(operations: list[Any]) -> None:
    assert len(operations) >= OPERATIONS
    prefixes = tuple(prefix for district in DISTRICTS.values() for prefix in district)
    for operation in operations:
        assert operation.path.startswith(prefixes), "a district that is not asked below"
        documented = operation.definition.raw["responses"]
        assert any(status.startswith("2") for status in documented), operation.label
        assert operation.definition.raw.get("description") or operation.definition.raw.get("summary"), operation.label


@pytest.mark.parametrize("district", DISTRICTS)
def test_api_keeps_what_openapi_promises(siege: Siege, operations: list[Any], real: Known, district: str) -> None:
    answered = asked(siege, of_district(operations, district), real, settings(derandomize=True, max_examples=EXAMPLES))
    assert answered[200] > 0
    assert answered[404] + answered[400] > 0


@pytest.mark.long
@pytest.mark.parametrize("district", DISTRICTS)
def test_api_keeps_what_openapi_promises_when_asked_by_chance(
    siege: Siege, operations: list[Any], real: Known, district: str
) -> None:
    asked(siege, of_district(operations, district), real, settings(max_examples=MANY_EXAMPLES))


def test_broken_promise_is_noticed(siege: Siege, real: Known) -> None:
    """The test of the tests: a status, a type or a body that OpenAPI does not name fails them."""
    document = siege.stranger().get("/schema/openapi.json").json()
    answers = document["paths"]["/api/people/organisations"]["get"]["responses"]
    kept = {**answers["200"]["content"]["application/json"]}
    for change in (
        lambda: answers.pop("200"),
        lambda: answers.update({"200": {"description": "", "content": {"text/plain": kept}}}),
        lambda: answers.update(
            {"200": {"description": "", "content": {"application/json": {"schema": {"type": "string"}}}}}
        ),
    ):
        change()
        broken = schemathesis.openapi.from_dict(document)
        broken.app = siege.web
        with pytest.raises(AssertionError, match="/api/people/organisations"):
            asked(siege, [broken["/api/people/organisations"]["GET"]], real, settings(max_examples=1))


def of_district(operations: list[Any], district: str) -> list[Any]:
    return [operation for operation in operations if operation.path.startswith(DISTRICTS[district])]


def asked(siege: Siege, operations: list[Any], real: Known, how: settings) -> Counter[int]:
    """Asks all of it as everybody. Returns how often each status came; raises with every broken promise."""
    callers = {role: make(siege) for role, make in ROLES.items()}
    answered: Counter[int] = Counter()
    problems = []
    with ASGIClient(siege.web) as session:
        for operation in operations:
            known = real | ({"agreement_id": [waiting(siege)]} if "{verdict}" in operation.path else {})
            for mode in modes(operation):
                try:
                    send(operation, mode, known, Callers(session, callers, how), answered)
                except (Exception, BaseExceptionGroup) as failure:
                    # Each operation has its say; together they fail the test.
                    problems.append(f"{operation.label}: {failure}")
    assert not problems, "\n\n".join(problems)
    return answered


class Callers(NamedTuple):
    """Everybody who calls, with the headers that say who they are, and how much they ask."""

    session: ASGIClient
    headers: dict[str, Headers]
    how: settings


def modes(operation: Any) -> list[GenerationMode]:
    """An operation that takes no more than the text in its path can be asked nothing wrong."""
    wrong = operation.body.items or operation.query.items
    return [GenerationMode.POSITIVE, *([GenerationMode.NEGATIVE] if wrong else [])]


def send(operation: Any, mode: GenerationMode, known: Known, callers: Callers, answered: Counter[int]) -> None:
    """Sends generated requests as every role and checks each answer; raises at the first that breaks its word."""

    @settings(
        callers.how, deadline=None, database=None, phases=(Phase.generate,), suppress_health_check=list(HealthCheck)
    )
    @given(case=operation.as_strategy(generation_mode=mode), reach=st.booleans(), place=st.integers(0, 1))
    def run(case: Any, reach: bool, place: int) -> None:
        for name in case.path_parameters if reach else ():
            if name in known:
                case.path_parameters[name] = known[name][place % len(known[name])]
        for headers in callers.headers.values():
            response = case.call(session=callers.session, headers=headers)
            answered[response.status_code] += 1
            case.validate_response(response, checks=CHECKS)

    run()


def waiting(siege: Siege) -> str:
    """A fresh agreement for officers to decide on."""
    company = siege.world.client(siege.world.company)
    return publish_agreement(siege.city, company, draft(retention_days=next(RETENTION_DAYS))).agreement_id
