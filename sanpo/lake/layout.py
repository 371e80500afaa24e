"""How rows lie in files: by month and by range of subjects, inside a file by subject and then by time. Pure.

A question about everyone reads files that are sorted by subject, so that consent is a merge and not a lookup per
row; one resident's rows, or their erasure, touch few files; a day's new rows touch one file for each range.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sanpo.lake.model import Dataset

SUBJECTS_PER_RANGE = 16_384
ROWS_PER_GROUP = 122_880
"""DuckDB's vector group: one row group is one unit of its parallel scan."""
ROWS_PER_FILE = 32 * ROWS_PER_GROUP
"""About 6 MB of meter readings: what the erasure of one resident rewrites for each month at most."""

MONTH = "month"
SUBJECT_RANGE = "subject_range"
PART = "part_"
RANGES = 1 << 20  # room for ranges in a part's number: more than int32 subjects can fill


@dataclass(frozen=True, order=True)
class Part:
    """One partition. `month` counts from January of year 0, and is 0 where the dataset is not kept by month."""

    month: int
    subject_range: int

    @staticmethod
    def from_number(number: int) -> "Part":
        return Part(*divmod(number, RANGES))

    @staticmethod
    def of(dataset: Dataset, file: "DataFile") -> "Part":
        """The partition in which the file lies."""
        values = dict(zip(partition_columns(dataset), file.part, strict=True))
        year, month = (int(text) for text in (values.get(MONTH) or "0000-01").split("-"))
        return Part(year * 12 + month - 1, int(values.get(SUBJECT_RANGE) or 0))

    @property
    def number(self) -> int:
        """What `from_number` reads: parts in this order are written one after another."""
        return self.month * RANGES + self.subject_range

    def values(self, dataset: Dataset) -> dict[str, str | None]:
        """The partition's values as Delta writes them."""
        values: dict[str, str | None] = {}
        if dataset.by_month:
            values[MONTH] = f"{self.month // 12:04d}-{self.month % 12 + 1:02d}"
        if dataset.personal:
            values[SUBJECT_RANGE] = str(self.subject_range)
        return values

    def folder(self, dataset: Dataset) -> str:
        """The partition's folder in Hive's form; empty where the dataset has one partition only."""
        return "".join(f"{name}={value}/" for name, value in self.values(dataset).items())


def range_folder(subject_no: int) -> str:
    """The part of a file's path that says in which range of subjects its rows are."""
    return f"{SUBJECT_RANGE}={subject_no // SUBJECTS_PER_RANGE}/"


def partition_columns(dataset: Dataset) -> list[str]:
    return [MONTH] * dataset.by_month + [SUBJECT_RANGE] * dataset.personal


def sort_columns(dataset: Dataset) -> list[str]:
    """The order of rows inside a file: subject, then keys, then time."""
    keys = [column.name for column in dataset.columns if column.role == "key"]
    return ["subject_no"] * dataset.personal + keys + [dataset.time_column] * bool(dataset.time_column)  # type: ignore[list-item]


def sorting_sql(dataset: Dataset, source: str) -> str:
    """DuckDB: the rows of `source` with their part's number, in the order in which they are written."""
    columns = ", ".join(f'"{column.name}"' for column in dataset.columns)
    utc = f'make_timestamp(epoch_us("{dataset.time_column}"))'  # several times faster than "at time zone"
    month = f"(year({utc}) * 12 + month({utc}) - 1)" if dataset.by_month else "0"
    subject_range = f"subject_no // {SUBJECTS_PER_RANGE}" if dataset.personal else "0"
    part = f"({month} * {RANGES} + {subject_range})::bigint as {PART}"
    order = ", ".join([PART, *(f'"{name}"' for name in sort_columns(dataset))])
    return f"select {columns}, {part} from {source} order by {order}"


@dataclass(frozen=True)
class DataFile:
    """One live file: its path inside the table, its size, its partition and the subjects between which it lies."""

    path: str
    rows: int
    bytes: int
    part: tuple[str | None, ...]
    month: str | None
    first_subject: int | None
    last_subject: int | None

    def may_hold(self, *, subject_no: int | None, since: datetime | None, until: datetime | None) -> bool:
        """False only where no row of this subject with `since` ≤ time < `until` can be inside."""
        if subject_no is not None and self.first_subject is not None and self.last_subject is not None:
            between = self.first_subject <= subject_no <= self.last_subject
            if not between:
                return False
        if self.month is None:
            return True
        return (since is None or self.month >= month_of(since)) and (until is None or self.month <= month_of(until))


def crowded(files: list[DataFile], spare: int) -> list[DataFile]:
    """The files of the partitions that have at least `spare` files more than their rows need; with 0 all files."""
    by_part: dict[tuple[str | None, ...], list[DataFile]] = defaultdict(list)
    for file in files:
        by_part[file.part].append(file)
    return [
        file
        for together in by_part.values()
        if not spare or len(together) >= spare + -(-sum(file.rows for file in together) // ROWS_PER_FILE)
        for file in together
    ]


def rows_wanted(
    dataset: Dataset, *, subject_no: int, since: datetime | None, until: datetime | None
) -> list[tuple[str, str, Any]]:
    """The exact filter for one subject's rows with `since` ≤ time < `until`, as pyarrow takes it."""
    wanted: list[tuple[str, str, Any]] = [("subject_no", "==", subject_no)]
    if dataset.time_column and since is not None:
        wanted.append((dataset.time_column, ">=", since))
    if dataset.time_column and until is not None:
        wanted.append((dataset.time_column, "<", until))
    return wanted


def month_of(moment: datetime) -> str:
    """The month in UTC, as partitions are named."""
    return moment.astimezone(UTC).strftime("%Y-%m")
