"""What the lake holds of some entities, as rows that a statement takes beside those that are here.

Only as much is read as an answer can show: of the months and residents in question, and where an answer has an end, no
more rows of a dataset than it has. Of an aggregate every row of its span is read.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sanpo.broker.errors import SightIsContended
from sanpo.broker.flow import store
from sanpo.broker.flow.store import Present, Shore
from sanpo.broker.sight import DUTY
from sanpo.broker.store import encode
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.lake import histories

T = TypeVar("T")
MOST_LOOKS = 20
_NAMES = {
    "observation_no": "observation_no",
    "flow_no": "flow_no",
    "entity_no": "entity_no",
    "attr_no": "attr_no",
    "observed_at": "at",
    "modified_at": "modified_at",
    "created_at": "created_at",
    "is_observed": "observed",
    "raw_number": "number",
    "unit_code": "unit",
    "dataset_id": "dataset_id",
    "instance": "instance",
    "is_removed": "removed",
    "subjects": "subjects",
}
"""The lake's names, and those of `broker.observations`."""
_observed, _removed = pc.field("is_observed"), pc.field("is_removed")
_TESTS = {"observedAt": _observed & ~_removed, "createdAt": ~_removed, "modifiedAt": ~_removed, "deletedAt": _removed}


@dataclass(frozen=True)
class Asked:
    """Which rows: from `start` to before `end` by this time (none: by any), of these attributes (None: of all).

    `newest`: so many of each attribute of each entity, and of each group of residents. `most`: so many of all, from the
    first on, or with `newest` from the last.
    """

    time: str = ""
    start: str | None = None
    end: str | None = None
    attr_nos: Collection[int] | None = None
    newest: int | None = None
    most: int | None = None

    @property
    def months(self) -> tuple[date | None, date | None]:
        """The first and the last month that can hold such rows: in the lake they lie by their moment."""
        if self.time in ("createdAt", "modifiedAt"):
            return None, None
        return _month(self.start), _month(self.end)


def steady(city: City, look: Callable[[], T]) -> T:
    """What `look` sees of one state of both stores. Raises `SightIsContended` where they do not stand still."""
    for _ in range(MOST_LOOKS):
        before = store.state(city)
        found = look()
        if store.state(city) == before:
            return found
    raise SightIsContended


def fetch(city: City, entity_nos: Collection[int], asked: Asked, *, public: bool) -> str | None:
    """The rows as JSON for `broker.both`; None where the lake has none of these entities. Call it inside `steady`."""
    with city.transaction(DUTY) as tx:
        shores = store.shores(tx, entity_nos)
        if not shores:
            return None
        present = store.present(tx, entity_nos)
    parts = [_part(city, shore, entity_nos, asked) for shore in shores if shore.subjects is None or not public]
    rows = pa.concat_tables(parts) if parts else None
    if rows is None:
        return None
    return _as_json(_bounded(_there(rows, present), asked))


def rows_of(city: City, tx: Transaction, entity_nos: Collection[int], attr_no: int | None) -> list[dict[str, Any]]:
    """All rows of these entities in the lake, each with its dataset. For whoever keeps them from moving."""
    present = store.present(tx, entity_nos)
    asked = Asked(attr_nos=None if attr_no is None else [attr_no])
    found: list[dict[str, Any]] = []
    for shore in store.shores(tx, entity_nos):
        rows = _there(_part(city, shore, entity_nos, asked), present)
        found += [{**each, "dataset": shore.dataset} for each in _named(rows)]
    return found


def _part(city: City, shore: Shore, entity_nos: Collection[int], asked: Asked) -> pa.Table:
    """One dataset's rows, each observation once, with its residents as PostgreSQL writes an array."""
    first, last = asked.months
    since = shore.since if first is None else max(first, shore.since)
    until = shore.until if last is None else min(last, shore.until)
    wanted = histories.HistoryRange(entity_nos, _midnight(since), _midnight(until), shore.subjects)
    rows = histories.read_rows(city, shore.dataset, wanted, _condition(asked))
    return _once(rows, personal=shore.subjects is not None).select(list(_NAMES))


def _once(rows: pa.Table, *, personal: bool) -> pa.Table:
    if not personal:
        return rows.append_column("subjects", pa.nulls(rows.num_rows, pa.string()))
    if pc.count_distinct(rows["observation_no"]).as_py() == rows.num_rows:
        number = rows["subject_no"].cast(pa.string())
        return rows.append_column("subjects", pc.binary_join_element_wise("{", number, "}", "")).drop_columns(
            "subject_no"
        )
    others = [name for name in rows.schema.names if name not in ("subject_no", "observation_no")]
    ways = [("subject_no", "list"), *((name, "first") for name in others)]
    once = rows.group_by("observation_no", use_threads=False).aggregate(ways)
    about = ["{" + ",".join(map(str, sorted(of))) + "}" for of in once["subject_no_list"].to_pylist()]
    columns = {
        name: once[name if name == "observation_no" else f"{name}_first"] for name in ("observation_no", *others)
    }
    return pa.table({**columns, "subjects": pa.array(about, pa.string())})


def _condition(asked: Asked) -> pc.Expression | None:
    """The span, and what a row must be to have the time that is asked about."""
    parts = [_TESTS[asked.time]] if asked.time else []
    moment = _moment(asked.time)
    if asked.start is not None:
        parts.append(moment >= _scalar(asked.start))
    if asked.end is not None:
        parts.append(moment < _scalar(asked.end))
    if asked.attr_nos is not None:
        parts.append(pc.field("attr_no").isin(pa.array(list(asked.attr_nos), pa.int32())))
    found = None
    for part in parts:
        found = part if found is None else found & part
    return found


def _moment(time: str) -> pc.Expression:
    if time == "createdAt":
        return pc.coalesce(pc.field("created_at"), pc.field("modified_at"))
    return pc.field("modified_at" if time == "modifiedAt" else "observed_at")


def _there(rows: pa.Table, present: Present) -> pa.Table:
    """Those that count as being in the lake."""
    flow = pc.field("flow_no")
    of_this_city = (flow >= present.first) & (flow <= present.last)
    rows = rows.filter(of_this_city if present.open is None else of_this_city & (flow != present.open))
    if not present.struck:
        return rows
    pairs = zip(rows["flow_no"].to_pylist(), rows["observation_no"].to_pylist(), strict=True)
    return rows.filter(pa.array([pair not in present.struck for pair in pairs], pa.bool_()))


def _as_json(rows: pa.Table) -> str:
    """As `both` takes them: moments in microseconds, and nothing where all is null."""
    columns: dict[str, list[Any]] = {}
    for name, here in _NAMES.items():
        column = rows[name]
        if column.null_count < rows.num_rows and name != "flow_no":
            whole = pa.types.is_timestamp(column.type)
            columns[here] = (column.cast(pa.int64()) if whole else column).to_pylist()
    return encode([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]).decode()


def _named(rows: pa.Table) -> list[dict[str, Any]]:
    """Under the names of `broker.observations`."""
    found: list[dict[str, Any]] = rows.rename_columns(list(_NAMES.values())).to_pylist()
    return found


def _bounded(rows: pa.Table, asked: Asked) -> pa.Table:
    """No more rows than an answer can show."""
    if (asked.newest is None and asked.most is None) or not rows.num_rows:
        return rows
    moment = _moment_of(rows, asked.time)
    number = rows["observation_no"].to_numpy()
    if asked.newest is None:
        return rows.take(pa.array(np.lexsort((number, moment))[: asked.most]))
    about = np.unique(rows["subjects"].fill_null("").to_numpy(zero_copy_only=False).astype(str), return_inverse=True)[1]
    keys = (about, rows["attr_no"].to_numpy(), rows["entity_no"].to_numpy())
    order = np.lexsort((-number, -moment, *keys))
    begins = np.ones(len(order), bool)
    begins[1:] = np.any([key[order][1:] != key[order][:-1] for key in keys], axis=0)
    place = np.arange(len(order)) - np.maximum.accumulate(np.where(begins, np.arange(len(order)), 0))
    return rows.take(pa.array(order[place < asked.newest]))


def _moment_of(rows: pa.Table, time: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    if time == "createdAt":
        found = pc.coalesce(rows["created_at"], rows["modified_at"])
    else:
        found = rows["modified_at" if time == "modifiedAt" else "observed_at"]
    return np.asarray(found.cast(pa.int64()).to_numpy())


def _scalar(moment: str) -> pa.Scalar:
    return pa.scalar(datetime.fromisoformat(moment), pa.timestamp("us", tz="UTC"))


def _month(moment: str | None) -> date | None:
    return None if moment is None else datetime.fromisoformat(moment).astimezone(UTC).date().replace(day=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
