"""A source that is slow, dead or ill: what it costs others, and what its registration says of it (§5.2.9, §5.2.34)."""

import json
import threading
import time
from contextlib import nullcontext
from typing import Any

import pytest
from litestar.testing import TestClient
from typer.testing import CliRunner

from sanpo.broker.cli import cli
from sanpo.ground.city import City
from tests.broker.registrations.conftest import Source, register

CAR, BUS = "urn:ngsi-ld:Car:1", "urn:ngsi-ld:Bus:1"
WHOLE = {"id": CAR, "type": "Car", "speed": {"type": "Property", "value": 80}}
ALL = {"operations": ["redirectionOps"]}


def test_slow_source_delays_no_other(here: TestClient[Any], source: Source, another: Source) -> None:
    """Its gate stays shut: what is answered meanwhile did not wait for it."""
    management = {"timeout": 10_000}
    register(here, source, entity={"id": CAR}, management=management)
    register(here, another, entity={"id": BUS, "type": "Bus"})
    source.lay("GET", f"entities/{CAR}", 200, WHOLE)
    another.lay("GET", f"entities/{BUS}", 200, {"id": BUS, "type": "Bus"})
    source.gate.clear()
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(here.get(f"/entities/{CAR}")), daemon=True) for _ in range(12)
    ]
    for each in threads:
        each.start()
    deadline = time.monotonic() + 10
    while len(answers) < 8 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert here.get(f"/entities/{BUS}").status_code == 200
    refused = here.get(f"/entities/{CAR}")
    assert (refused.status_code, refused.headers["ngsild-warning"][:3]) == (404, "112")
    assert here.post("/entities?local=true", json={"id": "urn:x:1", "type": "Tree"}).status_code == 201
    assert (len(source.asked), len(answers)) == (4, 8)
    source.gate.set()
    for each in threads:
        each.join(10)
    assert sorted(each.status_code for each in answers) == [200] * 4 + [404] * 8
    assert here.get(f"/entities/{CAR}").status_code == 200


def test_source_that_takes_longer_than_its_timeout_is_not_waited_for(here: TestClient[Any], source: Source) -> None:
    register(here, source, management={"timeout": 50})
    source.gate.clear()
    answer = here.get(f"/entities/{CAR}")
    assert (answer.status_code, answer.headers["ngsild-warning"][:3]) == (404, "112")


def test_source_rests_after_a_failure(here: TestClient[Any], source: Source) -> None:
    """§5.2.34: until its cooldown is over its registration answers as if it had run out of time."""
    register(here, source, mode="redirect", management={"cooldown": 10_000}, **ALL)
    source.lay("GET", f"entities/{CAR}", 503)
    assert here.get(f"/entities/{CAR}").headers["ngsild-warning"][:3] == "299"
    assert here.get(f"/entities/{CAR}").headers["ngsild-warning"][:3] == "112"
    assert here.post("/entities", json=WHOLE).status_code == 504
    assert len(source.asked) == 1


@pytest.mark.parametrize("status", [200, 404])
def test_source_that_is_well_does_not_rest(here: TestClient[Any], source: Source, status: int) -> None:
    register(here, source, management={"cooldown": 10_000})
    source.lay("GET", f"entities/{CAR}", status, WHOLE if status == 200 else None)
    for _ in range(2):
        assert here.get(f"/entities/{CAR}").status_code == status
    assert len(source.asked) == 2


def test_answer_is_good_enough_for_its_cache_duration(here: TestClient[Any], source: Source) -> None:
    """§5.2.34: only for the same question, and not after a write to the source."""
    found = register(here, source, management={"cacheDuration": "PT1H"}, operations=["redirectionOps", "queryBatch"])
    source.lay("GET", f"entities/{CAR}", 200, WHOLE)
    source.lay("GET", "entities", 200, [WHOLE])
    for _ in range(3):
        assert here.get(f"/entities/{CAR}").json() == WHOLE
        assert here.get("/entities?type=Car").json() == [WHOLE]
    assert len(source.asked) == 2
    assert here.get(f"/csourceRegistrations/{found}").json()["timesSent"] == 2
    here.get(f"/entities/{CAR}?attrs=speed")
    here.delete(f"/entities/{CAR}")
    here.get(f"/entities/{CAR}")
    assert [line.split()[0] for line in source.lines] == ["GET", "GET", "GET", "DELETE", "GET"]


def test_registration_says_how_its_source_does(here: TestClient[Any], source: Source) -> None:
    """Table 5.2.9-2"""
    found = register(here, source)
    address = f"/csourceRegistrations/{found}"
    assert not here.get(address).json().keys() & {"timesSent", "timesFailed", "lastSuccess", "lastFailure"}
    here.get(f"/entities/{CAR}")
    told = here.get(address).json()
    assert (told["status"], told["timesSent"], told["timesFailed"]) == ("ok", 1, 0)
    assert "lastSuccess" in told
    assert "lastFailure" not in told
    source.lay("GET", f"entities/{CAR}", 500)
    here.get(f"/entities/{CAR}")
    told = here.get("/csourceRegistrations?type=Car").json()[0]
    assert (told["timesSent"], told["timesFailed"]) == (2, 1)
    assert "lastFailure" in told


def test_operator_sees_how_sources_do(
    here: TestClient[Any], source: Source, city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sanpo.broker.registrations.cli.open_city", lambda: nullcontext(city))

    def command(*words: str) -> Any:
        return CliRunner().invoke(cli, ["registrations", *words])

    found = register(here, source, mode="redirect", **ALL)
    source.lay("POST", "entities", 500)
    here.post("/entities", json=WHOLE)
    listed = command("list", "--json")
    assert listed.exit_code == 0, listed.output
    assert json.loads(listed.output) == [
        {
            "registration_id": found,
            "endpoint": source.url,
            "mode": "redirect",
            "status": "failed",
            "times_sent": 1,
            "times_failed": 1,
            "last_success": None,
            "last_failure": json.loads(listed.output)[0]["last_failure"],
            "last_error": "status 500",
        }
    ]
    assert "status 500" in command("list").output
    shown = json.loads(command("show", found).output)
    assert (shown["id"], shown["status"], shown["timesFailed"]) == (found, "failed", 1)
    assert command("show", "urn:x:none").exit_code != 0


@pytest.mark.parametrize(("status", "asked"), [(201, 12), (400, 12), (0, 1)])
def test_source_is_asked_one_thing_after_another(
    here: TestClient[Any], source: Source, status: int, asked: int
) -> None:
    """However many an operation has for it; one that does not answer is not asked the rest."""
    found = register(here, source, mode="redirect", operations=["createEntity"], management={"timeout": 100})
    source.lay("POST", "entities", status)
    if not status:
        source.gate.clear()
    batch = [{**WHOLE, "id": f"urn:x:{n:02}"} for n in range(12)]
    answer = here.post("/entityOperations/create", json=batch)
    assert (answer.status_code, len(source.asked)) == (201 if status == 201 else 207, asked)
    if status != 201:
        assert [each["entityId"] for each in answer.json()["errors"]] == [each["id"] for each in batch]
    told = here.get(f"/csourceRegistrations/{found}").json()
    assert (told["timesSent"], told["timesFailed"]) == (asked, 0 if status == 201 else asked)
