"""What do gate, disclosure, journal and returns add to a question in a city of 120,000?

`extra_ms`: the median, over calls of `ask`, of the whole call (parse, gate, plan, engine, disclosure, confirmation,
journal, returns, durable commit) less its own engine stage. `bare_ms` is the same engine call by itself, interleaved, so
that one can see that the stage is no more than that. Everything, PostgreSQL too, is on one core. `ms_<stage>` are medians
of the stages; the lake's snapshot is in `ms_plan`.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterable

import metered
from harness import fresh_city, report

from sanpo.cleanroom import ask, parse_sql
from sanpo.cleanroom.catalogue import scope_of
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.plan import Plan, datasets_used, make_plan
from sanpo.consent import PublishedAgreement, admit
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import snapshot

OPERATOR = System("operator")
STAGES = ("parse", "gate", "plan", "engine", "disclosure", "confirm", "record")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--quarters", type=int, default=4, help="readings of each subject")
    options.add_argument("--share", type=float, default=0.5)
    options.add_argument("--rounds", type=int, default=60)
    given = options.parse_args()
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # inherited by PostgreSQL, which is started below
    with fresh_city(question_threads=1) as city:
        rows = metered.fill_lake(city, given.subjects, given.quarters)
        agreement = metered.published(city)
        metered.grant_share(city, agreement, given.subjects, given.share)
        figures = measured(city, agreement, given.rounds)
    setting = {"subjects": given.subjects, "rows": rows, "share": given.share, "cores": 1}
    report("question_end_to_end", setting, figures)


def measured(city: City, agreement: PublishedAgreement, rounds: int) -> dict[str, float]:
    plan = plan_of(city, agreement)
    bare_ms, whole_ms, answers = [], [], []
    for _ in range(rounds + 3):
        bare_ms.append(_ms(lambda: duckdb_engine.run(plan, city.settings)))
        whole_ms.append(_ms(lambda: answers.append(ask(city, OPERATOR, agreement.agreement_id, metered.QUESTION))))
    figures = {f"ms_{stage}": _median(answer.timings_ms[stage] for answer in answers[3:]) for stage in STAGES}
    extra = _median(answer.timings_ms["total"] - answer.timings_ms["engine"] for answer in answers[3:])
    return {"extra_ms": extra, "bare_ms": _median(bare_ms[3:]), "whole_ms": _median(whole_ms[3:]), **figures}


def plan_of(city: City, agreement: PublishedAgreement) -> Plan:
    question = parse_sql(metered.QUESTION)
    scope = scope_of(city, question.dataset)
    uses = datasets_used(question, scope)
    name, columns = next(iter(uses.items()))
    with city.transaction(OPERATOR) as tx:
        admission = admit(tx, OPERATOR, agreement.agreement_id, dataset=name, columns=columns)
    return make_plan(question, scope, {used: snapshot(city, used) for used in uses}, admission)


def _ms(call: object) -> float:
    began = time.perf_counter()
    call()  # type: ignore[operator]
    return (time.perf_counter() - began) * 1000


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


if __name__ == "__main__":
    main()
