"""Old observations move into the lake, exactly once each.

The order that makes a crash harmless: the move is planned with the numbers of its rows, each dataset takes its rows in one
commit under the number of the move, and one transaction deletes them here and says that the move is done. What the lake
has already of a move that is not done is held against the rows here: those that are the same still are deleted here, the
others in the lake, since they were changed or deleted after.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import pyarrow as pa

from sanpo.broker.flow import store
from sanpo.broker.flow.declared import destination, own_name, values_of
from sanpo.broker.flow.store import Flow
from sanpo.broker.personal import personal_types
from sanpo.broker.sight import DUTY
from sanpo.broker.store import decode
from sanpo.broker.temporal.store import names_of, numbers_of
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.lake import Dataset, append, has_appended, histories

ROUND = 100_000
MOST_ROUNDS = 20
Rows = list[dict[str, Any]]


def flow(city: City, *, limit: int = ROUND) -> int:
    """The duty: moves what is older than `broker_recent_days`, some rounds at the most; returns how many rows it was."""
    total = _move(city)
    for _ in range(MOST_ROUNDS):
        if not _plan(city, limit):
            break
        total += _move(city)
    strike_out(city)
    return total


def strike_out(city: City, *, limit: int = ROUND) -> None:
    """Takes out of the lake what counts as gone there."""
    with city.transaction(DUTY) as tx:
        store.lock(tx)
        rows = store.struck(tx, limit)
        by_dataset: dict[str, set[tuple[int, int]]] = defaultdict(set)
        for row in rows:
            by_dataset[row.dataset].add((row.flow_no, row.observation_no))
        for name, struck in by_dataset.items():
            histories.strike_rows(city, name, struck)
        if rows:
            store.unstrike(tx, [row.strike_no for row in rows])


def _plan(city: City, limit: int) -> bool:
    whose = [each.subject for each in personal_types(city).values()]
    kept = list(numbers_of(city, whose).values())
    horizon = city.now() - timedelta(days=city.settings.broker_recent_days)
    with city.transaction(DUTY) as tx:
        store.lock(tx)
        return store.open_flow(tx) is not None or store.plan(tx, horizon, kept, limit)


def _move(city: City) -> int:
    """Makes the move that is planned, or finishes it; returns how many rows it was."""
    with city.transaction(DUTY) as tx:
        store.lock(tx)
        planned = store.open_flow(tx)
        if planned is None:
            return 0
        here = store.planned_rows(tx, planned)
        by_dataset = _sorted(city, planned, [row for row in here if row.tenant_no is not None])
        _register(city, here)
        taken = {row.observation_no for row in here if row.tenant_no is None}
        flowed: Rows = []
        # All of them: a move that broke off may have brought rows that are not here now.
        for dataset in histories.every_history(city):
            rows = by_dataset.get(dataset.name, {})
            moved = _carried(city, tx, planned, dataset, rows)
            taken |= moved
            flowed += [_noted(dataset, rows[number]) for number in moved]
        store.finish(tx, planned, taken, flowed)
        return len(taken)


def _sorted(city: City, planned: Flow, here: Sequence[Any]) -> dict[str, dict[int, Rows]]:
    """By dataset and number, the rows as the lake has them: one for each resident whom an observation is about."""
    names = names_of(city, [row.attr_no for row in here])
    empty: dict[str, dict[str, Any]] = {}
    found: dict[str, dict[int, Rows]] = defaultdict(dict)
    for row in here:
        iri = names[row.attr_no]
        dataset = destination(city, row, iri)
        value = row.number
        if value is None and row.instance is not None:
            value = decode(row.instance).get("value")
        if dataset.name not in empty:
            empty[dataset.name] = dict.fromkeys(dataset.schema.names)
        one = {
            **empty[dataset.name],
            **values_of(city, dataset, row, iri, value),
            str(dataset.time_column): row.at,
            "entity_no": row.entity_no,
            "attr_no": row.attr_no,
            "observation_no": row.observation_no,
            "flow_no": planned.flow_no,
            "modified_at": row.modified_at,
            "created_at": row.created_at,
            "is_observed": row.observed,
            "raw_number": row.number,
            "unit_code": row.unit,
            "dataset_id": row.dataset_id,
            "instance": row.instance,
            "is_removed": row.removed,
        }
        copies = [one] if row.subjects is None else [{**one, "subject_no": number} for number in row.subjects]
        found[dataset.name][row.observation_no] = copies
    return found


def _register(city: City, here: Sequence[Any]) -> None:
    """The tenants' own histories, before anything is written there."""
    with city.transaction(DUTY) as tx:
        for tenant_no in {row.tenant_no for row in here} - {None}:
            for personal in (True, False):
                histories.register_history(tx, own_name(tenant_no, personal=personal), personal=personal)


def _carried(city: City, tx: Transaction, planned: Flow, dataset: Dataset, rows: dict[int, Rows]) -> set[int]:
    """The numbers of the rows that are in the lake after this as they are here."""
    key = f"sanpo.flow.{planned.flow_no}"
    if not has_appended(city, dataset.name, key):
        if rows:
            table = pa.Table.from_pylist([each for of in rows.values() for each in of], schema=dataset.schema)
            append(city, dataset.name, table, once=key)
        return set(rows)
    landed: dict[int, Rows] = defaultdict(list)
    for each in histories.read_flow(city, dataset, planned.flow_no).to_pylist():
        landed[each["observation_no"]].append(each)
    same = {number for number, found in landed.items() if _in_order(found) == _in_order(rows.get(number, []))}
    lost = [found[0] for number, found in landed.items() if number not in same]
    store.strike(tx, [_named(dataset, each) for each in lost])
    return same


def _in_order(rows: Rows) -> Rows:
    return sorted(rows, key=lambda row: row.get("subject_no") or 0)


def _named(dataset: Dataset, row: Mapping[str, Any]) -> dict[str, Any]:
    return {"dataset": dataset.name, **{name: row[name] for name in ("entity_no", "flow_no", "observation_no")}}


def _noted(dataset: Dataset, copies: Rows) -> dict[str, Any]:
    subjects = "{" + ",".join(str(each["subject_no"]) for each in copies) + "}" if dataset.personal else None
    first = copies[0]
    return {
        "entity_no": first["entity_no"],
        "dataset": dataset.name,
        "at": first[dataset.time_column or ""],
        "subjects": subjects,
    }
