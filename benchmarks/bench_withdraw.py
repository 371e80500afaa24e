"""How long does a withdrawal take while questions run, and does any later answer still hold the resident's rows?

A second process asks without pause and notes when each question began. This process withdraws over HTTP, notes when the
call was answered, gives again, and so on. Afterwards the journal's sealed sets, read as the database's owner, say whom
each answer was about: an answer whose question began after the withdrawal was answered, and before the next grant was
sent, must not hold the resident.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import metered
import psycopg
from harness import Wire, fresh_city, percentile, report, served

from sanpo.app import open_city
from sanpo.cleanroom import ask
from sanpo.consent import Decision, decide
from sanpo.ground.actors import Resident, System
from sanpo.ground.config import load_settings
from sanpo.ground.csrf import csrf_token
from sanpo.people import make_sign_in_link
from sanpo.people.sign_in import sign_in_with_link
from tests.world import SIMULATOR, World  # type: ignore[import-not-found]

QUESTION = "select avg(energy_wh) from energy.readings"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--races", type=int, default=1000)
    options.add_argument("--asker", help="(the second process)")
    given = options.parse_args()
    if given.asker:
        ask_on(given.asker)
        return
    with fresh_city(question_threads=1) as city:
        world = World(city)
        agreement = world.agreement(term={"first_day": "2020-01-01", "last_day": "2090-01-01", "grant_days": 365})
        residents = world.residents(60)
        metered.fill_lake(city, 61, 96)
        for resident in residents:
            decide(city, resident, agreement.agreement_id, Decision.GIVE)
        with served(city.settings) as server:
            asker = subprocess.Popen(
                [sys.executable, __file__, "--asker", agreement.agreement_id],
                env=server_env(city.settings),
                stdout=subprocess.PIPE,
                stdin=subprocess.PIPE,
            )
            assert asker.stdout is not None
            asker.stdout.readline()  # it has had its first answer
            races, latencies = race(city, agreement, residents[0], given.races)
            questions = finish(asker)
            del server
        wrong, checked = judge(city.settings.database_owner_url, races, questions, residents[0].subject_no)
    report(
        "withdraw",
        {"races": given.races, "questions": len(questions), "answers_between": checked},
        {
            "p50_ms": percentile(latencies, 0.5) * 1000,
            "p95_ms": percentile(latencies, 0.95) * 1000,
            "rows_after_withdrawal": wrong,
        },
    )


def race(city: Any, agreement: Any, resident: Resident, count: int) -> tuple[list[tuple[float, float]], list[float]]:
    """Withdraws and gives `count` times. Returns the spans in which the resident was certainly out, and the latencies."""
    token = sign_in_with_link(city, make_sign_in_link(city, SIMULATOR, resident.resident_id).token).token
    headers = {
        "Cookie": f"sanpo={token}",
        "X-CSRF-Token": csrf_token(city.keys, token),
        "Content-Type": "application/json",
    }
    path, wire = f"/api/consent/grants/{agreement.agreement_id}", Wire(city.settings.port)
    spans, latencies = [], []
    for _ in range(count):
        began = time.monotonic()
        status, body = wire.call("POST", path, headers, b'{"decision":"withdraw"}')
        out_from = time.monotonic()
        assert status == 200 and b'"withdrawn"' in body, body  # noqa: PT018
        latencies.append(out_from - began)
        time.sleep(0.02)
        spans.append((out_from, time.monotonic()))
        status, body = wire.call("POST", path, headers, b'{"decision":"give"}')
        assert status == 200, body
    return spans, latencies


def ask_on(agreement_id: str) -> None:
    """Asks until standard input closes; then prints when each question began and which entry its answer has."""
    import select

    settings, _ = load_settings()
    city = open_city(settings, pool=2)
    asked: list[tuple[float, str]] = []
    while not select.select([sys.stdin], [], [], 0)[0]:
        began = time.monotonic()
        asked.append((began, ask(city, System("operator"), agreement_id, QUESTION).entry_id))
        if len(asked) == 1:
            sys.stdout.write("asking\n")
            sys.stdout.flush()
    sys.stdout.write(json.dumps(asked))
    city.db.close()


def finish(asker: "subprocess.Popen[bytes]") -> list[tuple[float, str]]:
    out, _ = asker.communicate(b"stop\n", timeout=60)
    return [(began, entry_id) for began, entry_id in json.loads(out)]


def judge(
    owner_url: str, spans: list[tuple[float, float]], questions: list[tuple[float, str]], subject_no: int
) -> tuple[int, int]:
    """(answers that hold the resident though their question began in a span, all answers whose question began in one)."""
    inside = [entry_id for began, entry_id in questions if any(begin <= began < end for begin, end in spans)]
    with psycopg.connect(owner_url) as conn:
        held = conn.execute(
            "select e.entry_id from journal.entries e join journal.use_subjects s using (entry_no)"
            " where e.entry_id = any(%s) and get_bit(s.bits, %s) = 1",
            (inside, subject_no),
        ).fetchall()
    return len(held), len(inside)


def server_env(settings: Any) -> dict[str, str]:
    """The settings for the second process."""
    import os

    names = type(settings).__dataclass_fields__
    return {
        **os.environ,
        **{f"SANPO_{n.upper()}": str(getattr(settings, n)) for n in names if getattr(settings, n) != ""},
    }


if __name__ == "__main__":
    main()
