"""How long until a question may run: gate, scope, rule check and plan, in a city with 1,000 agreements and 120,000 residents?

`p50_ms`, `p95_ms`: from the SQL text to the plan that an engine could run, consent set and snapshot included, for a
different agreement each time. `subjects_ms` is how long it takes to open the admitted set as numbers. Alternative in the
same run: the set as `select subject_no from consent.grants`, which is what a policy engine without a bitmap would read.
Sieve (Pappachan et al., VLDB 2020) needs 115 to 345 ms to plan with 200 to 1,200 policies.
"""

import argparse
import time
from collections.abc import Callable

import metered
import numpy as np
import psycopg
from harness import fresh_city, percentile, report

from sanpo.cleanroom import parse_sql
from sanpo.cleanroom.catalogue import scope_for
from sanpo.cleanroom.plan import Plan, datasets_used, make_plan, time_span
from sanpo.cleanroom.rules import check_rule, check_types, limits_of
from sanpo.consent import PublishedAgreement, admit, check_covered
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import snapshot
from tests.world import World  # type: ignore[import-not-found]

OPERATOR = System("operator")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--agreements", type=int, default=1_000)
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--rounds", type=int, default=300)
    given = options.parse_args()
    with fresh_city() as city:
        metered.fill_lake(city, given.subjects, 1)
        agreements = published(city, given.agreements)
        grant_all(city, agreements, given.subjects)
        chance = np.random.default_rng(4)
        chosen = [agreements[at] for at in chance.integers(0, len(agreements), given.rounds)]
        plans: list[Plan] = []
        planned = timed(lambda each: plans.append(plan_of(city, each)), chosen)
        opened = timed(lambda plan: plan.subjects, plans)
        listed = timed(lambda each: rows_of(city, each), chosen[:50])
    figures = {
        "p50_ms": percentile(planned, 0.5),
        "p95_ms": percentile(planned, 0.95),
        "subjects_ms": percentile(opened, 0.5),
        "rows_ms": percentile(listed, 0.5),
    }
    report("plan", vars(given), figures)


def published(city: City, count: int) -> list[PublishedAgreement]:
    world = World(city)
    titles = ({"ja": f"研究 {number}", "en": f"Study {number}"} for number in range(count))
    return [world.agreement(title=title) for title in titles]


def grant_all(city: City, agreements: list[PublishedAgreement], subjects: int) -> None:
    """Each agreement gets a random third of the residents; rows of grants for the first fifty, bits for all."""
    size = -(-subjects // metered.CHUNK) * metered.CHUNK
    chance = np.random.default_rng(5)
    with psycopg.connect(city.settings.database_owner_url) as conn:
        with conn.cursor().copy("copy consent.granted_chunks from stdin") as copy:
            for agreement in agreements:
                flags = np.zeros(size, dtype=np.uint8)
                flags[:subjects] = chance.random(subjects) < 1 / 3
                for number, part in enumerate(np.packbits(flags, bitorder="little").reshape(-1, metered.CHUNK // 8)):
                    copy.write_row((agreement.agreement_no, number, part.tobytes()))
        conn.execute(
            "insert into consent.grants (subject_no, agreement_no, state, since_at, expires_at)"
            " select s, a, 'given', now(), now() + interval '300 days'"
            " from generate_series(0, %s - 1, 3) s, unnest(%s::int[]) a",
            (subjects, [agreement.agreement_no for agreement in agreements[:50]]),
        )
    with psycopg.connect(city.settings.database_owner_url, autocommit=True) as conn:
        conn.execute("vacuum analyze consent.granted_chunks")
        conn.execute("vacuum analyze consent.grants")


def plan_of(city: City, agreement: PublishedAgreement) -> Plan:
    question = parse_sql(metered.QUESTION)
    scope = scope_for(city, question)
    check_types(question, scope)
    since, until = time_span(question, scope, city.settings.zone)
    with city.transaction(OPERATOR) as tx:
        uses = datasets_used(question, scope)
        (name, columns), *others = uses.items()
        admission = admit(tx, OPERATOR, agreement.agreement_id, dataset=name, columns=columns)
        for other, of_other in others:
            check_covered(admission.agreement, other, of_other)
        rule = admission.agreement.rule
        check_rule(question, scope, rule)
        snapshots = {name: snapshot(city, name, since=since, until=until) for name in uses}
        return make_plan(question, scope, snapshots, admission, limits_of(question, scope, rule))


def rows_of(city: City, agreement: PublishedAgreement) -> list[object]:
    with city.transaction(System("jobs")) as tx:
        return tx.all(
            "select subject_no from consent.grants where agreement_no = %(no)s and state in ('given', 'renewed')",
            no=agreement.agreement_no,
        )


def timed(call: Callable[[object], object], each: list[object]) -> list[float]:
    spent = []
    for one in each:
        began = time.perf_counter()
        call(one)
        spent.append((time.perf_counter() - began) * 1000)
    return spent


if __name__ == "__main__":
    main()
