"""Datasets: what a table of the lake holds, column by column, and what one reading of it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, get_args

import pyarrow as pa

from sanpo.lake.licences import licence_title

ColumnType = Literal["int32", "int64", "float64", "text", "timestamp", "date", "bool"]
Role = Literal["subject", "dimension", "measure", "time", "key"]
KeyKind = Literal["subject", "household", "area", "mesh", "time"]
TimeUnit = Literal["hour", "day", "week", "month", "quarter", "year"]

_ARROW: dict[str, pa.DataType] = {
    "int32": pa.int32(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "text": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "date": pa.date32(),
    "bool": pa.bool_(),
}
LOCAL_TIMESTAMP = pa.timestamp("us")
OPEN = "open."
"""How the names of open datasets begin: a city adds them while it runs, and they need no grant."""


@dataclass(frozen=True)
class Key:
    """A key by which datasets can be joined: equal kinds match. A time key is cut to its `unit`, on the local clock."""

    name: str
    kind: KeyKind
    column: str
    unit: str | None = None


@dataclass(frozen=True)
class Source:
    """Where published data came from: who published it, at which address, and the day on which it was fetched."""

    publisher: str
    url: str
    retrieved_day: date


@dataclass(frozen=True)
class Column:
    """One column. `domain` lists the values of a dimension where they are few and fixed; `text` is for people.

    `sensitive`: of a kind (health, belief, …) that is told of 50 people or more only. `internal`: for the city's own
    use; no question can name it.
    """

    name: str
    type: ColumnType
    role: Role
    unit: str | None = None
    domain: tuple[str, ...] | None = None
    text: Mapping[str, str] = field(default_factory=dict, compare=False)
    sensitive: bool = False
    internal: bool = False


@dataclass(frozen=True)
class Dataset:
    """A catalogued table.

    `personal`: its rows belong to people, by the column `subject_no`. `attributes`: the dataset with one row per
    subject that is joined to it. `time_column` holds instants (UTC) and decides the month of a row;
    `local_column` holds the same moments as the clock on the wall showed them. `keys` are those by which it can be
    joined; by those in `unique` together no two rows are equal. `licence` is an SPDX identifier or an address.
    `internal`: the city's own, which no question can name.
    """

    name: str
    personal: bool
    columns: tuple[Column, ...]
    attributes: str | None = None
    time_column: str | None = None
    local_column: str | None = None
    retention_days: int | None = None
    keys: tuple[Key, ...] = ()
    unique: tuple[str, ...] = ()
    text: Mapping[str, str] = field(default_factory=dict, compare=False)
    licence: str | None = None
    source: Source | None = None
    internal: bool = False

    def __post_init__(self) -> None:
        for problem in _problems(self):
            raise ValueError(f"dataset {self.name}: {problem}")

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of its rows: instants in UTC, `local_column` without a zone."""
        return pa.schema([(column.name, self._arrow_type(column)) for column in self.columns])

    @property
    def is_open(self) -> bool:
        """Public data that the city added while it runs; nobody's consent is needed."""
        return self.name.startswith(OPEN)

    @property
    def by_month(self) -> bool:
        """Whether its files are partitioned by month. Open data is small, and always replaced as a whole."""
        return self.time_column is not None and not self.is_open

    @property
    def attribution(self) -> str | None:
        """What must stand beside results that were made with open data: publisher, address, day and licence."""
        if self.source is None:
            return None
        day, licence = self.source.retrieved_day.isoformat(), licence_title(self.licence or "")
        return ", ".join(part for part in (self.source.publisher, self.source.url, day, licence) if part)

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    def key(self, name: str) -> Key | None:
        return next((key for key in self.keys if key.name == name), None)

    def _arrow_type(self, column: Column) -> pa.DataType:
        return LOCAL_TIMESTAMP if column.name == self.local_column else _ARROW[column.type]


def kind_of(dataset: Dataset) -> Literal["personal", "open", "public"]:
    """`personal`: read under consent only; `open`: published by others, added by the city; `public`: a service's own."""
    if dataset.personal:
        return "personal"
    return "open" if dataset.is_open else "public"


@dataclass(frozen=True)
class Snapshot:
    """One immutable state of a dataset: the Parquet files (absolute paths or URLs) that hold its rows at `version`.

    They are to be read by name of column, in the types of `dataset.schema`: an older file may lack a column, which then
    reads null, or have int32 where int64 is meant now. Where that may be so, one of the files has all columns in their
    present types and no row. `root` is the folder or URL of the table, in which all files lie.
    """

    dataset: Dataset
    version: int
    files: tuple[str, ...]
    root: str = ""
    rows: int = 0
    """How many rows its files hold."""

    @property
    def is_far(self) -> bool:
        """Whether its files lie in an object store, and not in a folder of this machine."""
        return "://" in self.root


@dataclass(frozen=True)
class Holding:
    """How much of a dataset the lake holds."""

    dataset: Dataset
    version: int
    files: int
    rows: int
    bytes: int


@dataclass(frozen=True)
class Compaction:
    """What a compaction did: files that went, files that came, rows that moved."""

    files_before: int
    files_after: int
    rows: int


def dataset_from_manifest(entry: Mapping[str, Any]) -> Dataset:
    """Reads one `[[datasets]]` table of a service's manifest. Raises `KeyError`, `TypeError` or `ValueError`."""
    columns = tuple(
        Column(**{**column, "domain": tuple(column["domain"]) if "domain" in column else None})
        for column in entry["columns"]
    )
    keys = tuple(Key(**key) for key in entry.get("keys", ()))
    source = Source(**entry["source"]) if "source" in entry else None
    return Dataset(
        **{**entry, "columns": columns, "keys": keys, "unique": tuple(entry.get("unique", ())), "source": source}
    )


def _problems(dataset: Dataset) -> list[str]:
    names = [column.name for column in dataset.columns]
    found = [f"the column {name} stands twice" for name in set(names) if names.count(name) > 1]
    for column in dataset.columns:
        if column.type not in _ARROW or column.role not in get_args(Role):
            found.append(f"the column {column.name} has an unknown type or role")
    for name in (dataset.time_column, dataset.local_column):
        if name is not None and name not in names:
            found.append(f"the column {name} is named but not described")
    if dataset.retention_days is not None and (dataset.time_column is None or dataset.retention_days < 1):
        found.append("retention_days needs a time_column, and is one day or more")
    subject = [column for column in dataset.columns if column.role == "subject"]
    if dataset.personal and [(column.name, column.type) for column in subject] != [("subject_no", "int32")]:
        found.append("personal rows need the column subject_no of type int32 and role subject")
    if not dataset.personal and subject:
        found.append("a column has the role subject, but the dataset is not personal")
    return found + _key_problems(dataset)


def _key_problems(dataset: Dataset) -> list[str]:
    names = [key.name for key in dataset.keys]
    found = [f"the key {name} stands twice" for name in set(names) if names.count(name) > 1]
    found += [f"unique names {name}, which is no key" for name in dataset.unique if name not in names]
    for key in dataset.keys:
        column = dataset.column(key.column)
        if key.kind not in get_args(KeyKind):
            found.append(f"the key {key.name} has an unknown kind")
        elif column is None or column.name == dataset.local_column:
            found.append(f"the key {key.name} needs a column of the dataset, and for local time its time column")
        elif (key.kind == "time") != (key.unit in get_args(TimeUnit)):
            found.append(f"the key {key.name} needs a unit if and only if its kind is time")
        elif key.kind == "time" and column.type not in ("timestamp", "date"):
            found.append(f"the key {key.name} is of time, but its column is not")
        elif (key.kind == "subject") != (column.role == "subject"):
            found.append(f"the key {key.name} and its column must both be of the subject, or neither")
    return found
