"""How fast is the journal: durable appends from 8 writers, the sequencer behind them, proof and check at a million?

Writers are threads of four processes, as in a city with four HTTP workers, each on a connection of its own; they, the
database and its disk share the machine. `appends_per_s`: every append is a transaction of its own, on disk before the writer
goes on. `ratio_to_plain`: against the alternative, inserts into a plain audit table with one index, in the same form and
run. `appends_in_transaction_per_s`: through `city.transaction`, with BEGIN, the actor's settings and COMMIT around it.
`proof_ms`: an inclusion proof from stored tiles, database included, and its verification.
`proof_file_ms` and `verify_file_ms`: the whole call behind a resident's download, and the offline check of the file.
`seal_ms`: the tree of the residents of one use.
"""

import argparse
import multiprocessing
import os
import random
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import psycopg
from harness import fresh_city, report

from sanpo import app
from sanpo.ground.actors import Anonymous, System
from sanpo.ground.city import City
from sanpo.ground.config import Settings
from sanpo.ground.db import Transaction
from sanpo.journal import append, prove_entry, sequence, subjects, verifier_key, verify
from sanpo.journal.actions import inclusion_proof
from sanpo.journal.merkle import inclusion_holds
from sanpo.journal.model import body_bytes

WRITER = System("operator")
PROCESSES = 4
WARM_UP_S = 1.0
BODY = {"agreement": "agr_06ca0000000000000000000000", "answer": "0" * 64, "purpose": "energy advice", "subjects": 1234}
PLAIN = "insert into public.plain (kind, at, body) values (%(kind)s, %(at)s, %(body)s) returning no"
FILL = """
insert into journal.entries (entry_id, kind, appended_at, body)
select 'ent_' || lpad(n::text, 26, '0'), 'use', now(), %(body)s from generate_series(1, %(count)s) n
"""


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--writers", type=int, default=8)
    options.add_argument("--seconds", type=float, default=5.0)
    options.add_argument("--entries", type=int, default=1_000_000)
    options.add_argument("--proofs", type=int, default=500)
    options.add_argument("--subjects", type=int, default=120_000)
    given = options.parse_args()
    with fresh_city() as city:
        make_plain_table(city.settings)
        per_s = {form: writes_per_s(city.settings, given.writers, given.seconds, form) for form in FORMS}
        figures = {
            "appends_per_s": per_s["append"],
            "plain_inserts_per_s": per_s["plain"],
            "ratio_to_plain": per_s["append"] / per_s["plain"],
            "appends_in_transaction_per_s": per_s["transaction"],
            "sequenced_per_s": fill(city, given.entries),
            "proof_ms": tree_proof_ms(city, given.proofs),
        }
        figures["proof_file_ms"], figures["verify_file_ms"] = file_proof_ms(city, given.proofs)
        figures["seal_ms"] = seal_ms(given.subjects)
        setting = {**vars(given), "writer_processes": PROCESSES, "cores": os.cpu_count(), **durability(city)}
    report("journal", setting, figures)


def make_plain_table(settings: Settings) -> None:
    with psycopg.connect(settings.database_owner_url, autocommit=True) as conn:
        conn.execute(
            "create table public.plain"
            " (no bigint generated always as identity primary key, kind text, at timestamptz, body bytea)"
        )
        conn.execute("grant insert, select on public.plain to sanpo_app")


def writes_per_s(settings: Settings, writers: int, seconds: float, form: str) -> float:
    context = multiprocessing.get_context("spawn")
    counts = context.Queue()
    start = context.Barrier(writers)
    threads = [writers // PROCESSES + (n < writers % PROCESSES) for n in range(PROCESSES)]
    common = (start, seconds, form, counts)
    processes = [context.Process(target=_write, args=(settings, count, *common)) for count in threads if count]
    for process in processes:
        process.start()
    total = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return float(total / seconds)


def _write(settings: Settings, writers: int, start: Any, seconds: float, form: str, counts: Any) -> None:
    """One process of writers; it reports how many entries they wrote in the measured time."""
    city = app.open_city(settings, pool=writers)
    done: list[int] = []
    write = FORMS[form]

    def work() -> None:
        start.wait()
        began = time.perf_counter() + WARM_UP_S
        count = 0
        while (now := time.perf_counter()) < began + seconds:
            write(city)
            count += now >= began
        done.append(count)

    threads = [threading.Thread(target=work) for _ in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts.put(sum(done))
    city.db.close()


def _append_alone(city: City) -> None:
    with city.db.connection() as conn:
        append(Transaction(conn, city, WRITER, city.now()), kind="use", body=BODY)


def _append_in_transaction(city: City) -> None:
    with city.transaction(WRITER) as tx:
        append(tx, kind="use", body=BODY)


def _insert_plain(city: City) -> None:
    with city.db.connection() as conn:
        row = {"kind": "use", "at": city.now(), "body": body_bytes(BODY)}
        conn.execute(PLAIN, row).fetchone()


FORMS: dict[str, Callable[[City], None]] = {
    "append": _append_alone,
    "plain": _insert_plain,
    "transaction": _append_in_transaction,
}


def fill(city: City, count: int) -> float:
    """Brings the journal to `count` entries, all in the tree; returns entries sequenced per second."""
    with psycopg.connect(city.settings.database_owner_url, autocommit=True) as conn:
        there = conn.execute("select count(*) from journal.entries").fetchone()
        conn.execute(FILL, {"count": max(0, count - (there[0] if there else 0)), "body": body_bytes(BODY)})
        conn.execute("vacuum analyze journal.entries")
        began, done = time.perf_counter(), 0
        while checkpoint := sequence(city):
            done = checkpoint.size
        took = time.perf_counter() - began
        conn.execute("vacuum analyze journal.entries")
    return done / took


def tree_proof_ms(city: City, count: int) -> float:
    with city.transaction(Anonymous()) as tx:
        head = tx.get("select size, root from journal.checkpoints order by size desc limit 1")
        leaves = {n: _leaf_hash(tx, n) for n in random.sample(range(head.size), count)}

        def prove(index: int) -> None:
            proof = inclusion_proof(tx, index, head.size)
            if not inclusion_holds(index, head.size, leaves[index], proof, head.root):
                raise AssertionError(f"the proof of leaf {index} does not hold")

        return median_ms([partial(prove, index) for index in leaves])


def _leaf_hash(tx: Transaction, index: int) -> bytes:
    tile = tx.get("select hashes from journal.tiles where level = 0 and index = %(index)s", index=index // 256).hashes
    return bytes(tile[32 * (index % 256) : 32 * (index % 256) + 32])


def file_proof_ms(city: City, count: int) -> tuple[float, float]:
    with city.transaction(Anonymous()) as tx:
        size = tx.get("select max(leaf_index) + 1 as size from journal.entries").size
        wanted = random.sample(range(size), count)
        rows = tx.all("select entry_id from journal.entries where leaf_index = any (%(wanted)s)", wanted=wanted)
    key = str(verifier_key(city))
    made = median_ms([partial(prove_entry, city, Anonymous(), row.entry_id) for row in rows])
    texts = [prove_entry(city, Anonymous(), row.entry_id) for row in rows]
    return made, median_ms([partial(verify, text, key) for text in texts])


def seal_ms(universe: int) -> float:
    bits = random.randbytes(subjects.whole_blocks(universe) // 8)
    return median_ms([lambda: subjects.block_roots(random.randbytes(32), bits)] * 7)


def median_ms(calls: Sequence[Callable[[], Any]]) -> float:
    times = []
    for call in calls:
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)


def durability(city: City) -> dict[str, str]:
    with city.transaction(Anonymous()) as tx:
        row = tx.get("select current_setting('fsync') as fsync, current_setting('synchronous_commit') as commit")
        return {"fsync": row.fsync, "synchronous_commit": row.commit}


if __name__ == "__main__":
    main()
