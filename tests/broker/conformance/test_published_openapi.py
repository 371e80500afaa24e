"""ETSI's own OpenAPI document (1.7.1) held against the broker: generated requests, no 5xx, no status that it does not name.

Beyond the document stand what §6.3 says of every operation (`EVERYWHERE`), and what came after 1.7.1 (`LATER`).
"""

import contextlib
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.core.errors import UnsupportedSchema
from schemathesis.python.asgi import ASGIClient

from tests.chance import LONG

FILE = "specs/ngsi-ld-openapi-1.7.1.yaml"
EXAMPLES = 20 if LONG > 1 else 2
EVERYWHERE = frozenset({400, 403, 404, 406, 411, 413, 415})
"""§6.3.2 (403: `TooManyResults`) to §6.3.4, §6.3.14 (no such tenant), for whatever operation."""
LATER = frozenset({405, 504})
"""An empty part of a path is another resource; a context that cannot be had is 504 since V1.9.1."""


@pytest.mark.long
def test_generated_requests_get_documented_answers(shared: Path, broker: TestClient[Any], web: Any) -> None:
    schema = schemathesis.openapi.from_path(shared / FILE)
    problems: list[str] = []
    with ASGIClient(web) as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            documented = {int(status) for status in operation.definition.raw["responses"] if status.isdigit()}
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                wrong = _undocumented(operation, mode, session, documented | EVERYWHERE | LATER)
                problems.extend(f"{operation.label} {mode.name}: {each}" for each in wrong)
    assert not problems, "\n".join(problems)


def _undocumented(operation: Any, mode: GenerationMode, session: ASGIClient, allowed: set[int]) -> list[str]:
    """What came instead of an answer that is allowed, each kind once."""
    found: dict[int, str] = {}

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        answer = case.call(session=session, base_url="http://testserver.local/ngsi-ld/v1")
        if answer.status_code not in allowed:
            found.setdefault(answer.status_code, f"{answer.status_code} {answer.text[:300]} for {case.body!r:.200}")

    with contextlib.suppress(Unsatisfiable, UnsupportedSchema):  # nothing of this kind can be made
        run()
    return list(found.values())
