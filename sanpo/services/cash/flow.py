"""Purchases move to the lake, as the personal dataset `cash.purchases`: each line once, whatever stops in between."""

import pyarrow as pa

from sanpo.ground.city import City
from sanpo.ground.ids import new_id
from sanpo.lake import append, get_dataset
from sanpo.services.cash.store import SQL
from sanpo.services.cash.wallets import SERVICE

PURCHASES = "cash.purchases"
MOST = 50_000
"""Payments, and refunds, of one move."""


def flow_purchases(city: City) -> int:
    """Moves what was bought and given back since the last time; returns how many rows it was. Raises `LakeIsBusy`,
    `LakeIsUnavailable`: the move is then ended by the next call."""
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.lock_flow)
        tx.execute(SQL.begin_flow, flow_id=new_id("flw"), at=tx.now, most=MOST)
    with city.transaction(SERVICE) as tx:
        tx.execute(SQL.lock_flow)
        flow = tx.one(SQL.open_flow)
        if flow is None:
            return 0
        rows = tx.all(SQL.flow_rows, flow_id=flow.flow_id)
        schema = get_dataset(city, PURCHASES).schema
        columns = {name: [getattr(row, name) for row in rows] for name in schema.names}
        append(city, PURCHASES, pa.table(columns, schema), once=flow.flow_id)
        tx.execute(SQL.end_flow, flow_id=flow.flow_id, at=tx.now)
    return len(rows)
