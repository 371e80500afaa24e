"""What does consent cost in a scan? The whole question against the same statement without consent, on the same files.

`ratio_NN`: CPU time (all threads of this process) of `ask` with NN % of the residents opted in, gate, disclosure,
journal and returns included, over that of the engine's bare statement without the join with the admitted set, which
reads everybody. Runs are interleaved; each figure is a median. `times_faster_than_rls`: CPU time for each row of the
table at 50 %, PostgreSQL's backend with a row-level-security policy (correlated EXISTS on the grants; rows and grants in
memory) over ours; PostgreSQL gets fewer rows, since all of them would take minutes.
"""

import argparse
import resource
import statistics
from collections.abc import Callable
from functools import partial

import metered
import numpy as np
import psutil
import psycopg
from harness import fresh_city, report

from sanpo.cleanroom import ask, parse_sql
from sanpo.cleanroom.catalogue import scope_of
from sanpo.cleanroom.engines import duckdb_engine
from sanpo.cleanroom.engines.duckdb_sql import to_statement
from sanpo.cleanroom.plan import datasets_used, make_plan
from sanpo.consent import PublishedAgreement, admit
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.lake import snapshot

OPERATOR = System("operator")
SHARES = {"01": 0.01, "20": 0.20, "50": 0.50, "99": 0.99}
ADMITTED = " join admitted a on a.subject_no = b.subject_no"


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--quarters", type=int, default=384, help="readings of each subject")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--rls-rows", type=int, default=2_000_000)
    given = options.parse_args()
    with fresh_city() as city:
        rows = metered.fill_lake(city, given.subjects, given.quarters)
        agreement = metered.published(city)
        spent = scan_s(city, agreement, given.subjects, given.rounds)
        rls_rows = min(given.rls_rows, rows) // given.quarters * given.quarters
        rls_s = rls_row_s(city, rls_rows, given.quarters)
    figures = {f"ratio_{name}": spent[name] / spent["none"] for name in SHARES}
    figures |= {f"cpu_s_{name}": seconds for name, seconds in spent.items()}
    figures |= {"times_faster_than_rls": rls_s / (spent["50"] / rows), "rls_us_per_row": rls_s * 1e6}
    setting = {
        "rows": rows,
        "subjects": given.subjects,
        "rls_rows": rls_rows,
        "threads": city.settings.question_threads,
    }
    report("consent_scan", setting, figures)


def scan_s(city: City, agreement: PublishedAgreement, subjects: int, rounds: int) -> dict[str, float]:
    """Median CPU seconds by share of opted-in residents, and `none` for no consent at all."""
    found: dict[str, list[float]] = {name: [] for name in ("none", *SHARES)}
    whole = partial(ask, city, OPERATOR, agreement.agreement_id, metered.QUESTION)
    for _ in range(rounds + 1):
        for name, share in SHARES.items():
            metered.grant_share(city, agreement, subjects, share)
            if name == "01":
                found["none"].append(cpu_s(bare(city, agreement)))
            found[name].append(cpu_s(whole))
    return {name: statistics.median(values[1:]) for name, values in found.items()}  # the first round warms up


def bare(city: City, agreement: PublishedAgreement) -> Callable[[], object]:
    """The plan's own statement with the admitted set left out."""
    question = parse_sql(metered.QUESTION)
    scope = scope_of(city, question.dataset)
    uses = datasets_used(question, scope)
    with city.transaction(OPERATOR) as tx:
        (admission, *_) = [
            admit(tx, OPERATOR, agreement.agreement_id, dataset=name, columns=columns) for name, columns in uses.items()
        ]
    plan = make_plan(question, scope, {name: snapshot(city, name) for name in uses}, admission)
    statement = to_statement(plan)
    assert ADMITTED in statement.sql
    open_to_all = statement.sql.replace(ADMITTED, "")
    database = duckdb_engine.database_for(city.settings)
    return lambda: database.cursor().execute(open_to_all, statement.params).fetchall()


def cpu_s(call: Callable[[], object]) -> float:
    """CPU seconds of this process, user and system, all threads."""
    before = resource.getrusage(resource.RUSAGE_SELF)
    call()
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


RLS = """
create schema scan;
create table scan.readings (subject_no int not null, start_local timestamp not null, energy_wh int not null);
create table scan.homes (subject_no int primary key, area text not null);
create table scan.grants (subject_no int not null, agreement_no int not null, primary key (subject_no, agreement_no));
alter table scan.readings enable row level security;
create policy granted on scan.readings for select using (exists (
  select 1 from scan.grants g where g.subject_no = readings.subject_no
  and g.agreement_no = current_setting('scan.agreement_no')::int));
grant usage on schema scan to sanpo_app;
grant select on all tables in schema scan to sanpo_app;
"""
RLS_QUESTION = """
select area, extract(hour from start_local), count(distinct subject_no), count(*), sum(energy_wh)
from scan.readings join scan.homes using (subject_no) group by 1, 2
"""


def rls_row_s(city: City, rows: int, quarters: int) -> float:
    """Seconds for each row of PostgreSQL's answer to the same question with half of the residents granted."""
    subjects = rows // quarters
    chance = np.random.default_rng(3)
    with psycopg.connect(city.settings.database_owner_url, autocommit=True) as owner:
        owner.execute(RLS)
        owner.execute(
            "insert into scan.readings select s, timestamp '2026-03-01' + q * interval '15 minutes', (s * 7 + q) %% 800"
            " from generate_series(0, %s - 1) s, generate_series(0, %s - 1) q",
            (subjects, quarters),
        )
        owner.execute(
            "insert into scan.homes select s, 'area ' || s %% 10 from generate_series(0, %s - 1) s", (subjects,)
        )
        granted = [(int(number),) for number in chance.permutation(subjects)[: subjects // 2]]
        owner.cursor().executemany("insert into scan.grants values (%s, 1)", granted)
        owner.execute("vacuum analyze scan.readings")
        owner.execute("analyze scan.grants")
        owner.execute("set role sanpo_app")
        owner.execute("select set_config('scan.agreement_no', '1', false)")
        owner.execute("set work_mem = '256MB'")
        backend = psutil.Process(owner.info.backend_pid)
        spent = []
        for _ in range(4):
            before = backend.cpu_times()
            found = owner.execute(RLS_QUESTION).fetchall()
            after = backend.cpu_times()
            spent.append(after.user + after.system - before.user - before.system)
            assert sum(row[3] for row in found) == subjects // 2 * quarters
    return statistics.median(spent[1:]) / rows


if __name__ == "__main__":
    main()
