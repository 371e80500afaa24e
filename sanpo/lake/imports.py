"""Importing open data: all rows of the files are checked before any is written, and a dataset is replaced in one commit.

What a crash leaves: the lake commits the rows before the registry names them, so a cut-off import is not in the registry
and is done again by whoever repeats it.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from sanpo.ground.actors import Actor, require_officer
from sanpo.ground.canonical import canonical_json
from sanpo.ground.city import City
from sanpo.lake.actions import replace_rows, snapshot
from sanpo.lake.errors import DescriptorIsInvalid, OpenFileHasBadRows
from sanpo.lake.opendata import (
    Descriptor,
    OpenedFile,
    Parsed,
    Problem,
    Problems,
    Progress,
    Reason,
    digest_of,
    open_table_file,
    parse_rows,
    read_descriptor,
    repeated,
)
from sanpo.lake.registry import Registered, lock_registry, open_datasets, put_open_dataset

LISTED = 20


class ImportOutcome(Enum):
    ADDED = "added"
    REPLACED = "replaced"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class OpenImport:
    """What an import did. `reasons` counts the problems of the rows that were skipped."""

    outcome: ImportOutcome
    dataset: str
    rows: int
    skipped: int
    reasons: dict[str, int]

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "outcome": self.outcome.value}


def import_open(
    city: City,
    actor: Actor,
    descriptor: Descriptor | Path,
    files: Path | Sequence[Path],
    *,
    skip_bad: bool = False,
    report: Path | None = None,
    progress: Progress = lambda size: None,
) -> OpenImport:
    """Makes the files' rows, together, an open dataset in the place of what it held; nothing where a row is bad.

    With `skip_bad` bad rows are left out. `report` is a CSV of all problems, written in any case. The same descriptor
    and files again change nothing. Raises `NotPermitted`, `NotSignedIn`, `DescriptorIsInvalid`, `OpenFileIsUnreadable`,
    `OpenFileHasBadRows`, and the lake's.
    """
    officer = require_officer(actor)
    described = _described(descriptor) if isinstance(descriptor, Path) else descriptor
    paths = [files] if isinstance(files, Path) else list(files)
    content = _content(city, described, paths, skip_bad=skip_bad)
    name = described.dataset.name
    before = open_datasets(city).get(name)
    if before is not None and _is_there(city, before, content):
        return OpenImport(ImportOutcome.UNCHANGED, name, before.rows, before.skipped, {})
    parsed = _without_repeated(described, parse_rows(described, _opened(paths, described, progress), _zone(city)))
    if report is not None:
        parsed.problems.write_csv(report)
    _judge(described, parsed, skip_bad=skip_bad)
    skipped = parsed.rows - parsed.table.num_rows
    with city.transaction(officer) as tx:
        before = lock_registry(tx).get(name)
        put_open_dataset(tx, officer, described, sha256=content, rows=parsed.table.num_rows, skipped=skipped)
        replace_rows(city, described.dataset, parsed.table)
    outcome = ImportOutcome.ADDED if before is None else ImportOutcome.REPLACED
    return OpenImport(outcome, name, parsed.table.num_rows, skipped, parsed.problems.counts())


def _described(path: Path) -> Descriptor:
    try:
        return read_descriptor(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise DescriptorIsInvalid(file=path.name, problem=str(error)) from None


def _content(city: City, descriptor: Descriptor, paths: list[Path], *, skip_bad: bool) -> str:
    """Names everything that the rows follow from."""
    parts = {
        "descriptor": descriptor.document,
        "files": [digest_of(path) for path in paths],
        "timezone": city.settings.timezone,
        "skip_bad": skip_bad,
    }
    return hashlib.sha256(canonical_json(parts)).hexdigest()


def _is_there(city: City, before: Registered, content: str) -> bool:
    """Whether this very content is registered and its rows are in the lake, which may have been lost meanwhile."""
    return before.content_sha256 == content and bool(snapshot(city, before.dataset.name).files)


def _zone(city: City) -> ZoneInfo:
    return ZoneInfo(city.settings.timezone)


def _opened(paths: list[Path], descriptor: Descriptor, progress: Progress) -> Iterator[OpenedFile]:
    for path in paths:
        with open_table_file(path, descriptor.file, progress) as file:
            yield file


def _without_repeated(descriptor: Descriptor, parsed: Parsed) -> Parsed:
    """Only the first of the rows that share the keys which the dataset calls unique; the others are problems."""
    places = repeated(descriptor.dataset, parsed.table)
    if not places:
        return parsed
    columns = [key.column for key in descriptor.dataset.keys if key.name in descriptor.dataset.unique]
    taken = parsed.table.select(list(dict.fromkeys(columns))).take(places).to_pylist()
    found = Problems(
        Problem(*parsed.origins[at], ", ".join(values), Reason.REPEATED_KEY, ", ".join(map(str, values.values())))
        for at, values in zip(places, taken, strict=True)
    )
    left = sorted(set(range(parsed.table.num_rows)) - set(places))
    table = parsed.table.take(pa.array(left, pa.int64()))
    return Parsed(table, [parsed.origins[at] for at in left], parsed.problems + found, parsed.rows)


def _judge(descriptor: Descriptor, parsed: Parsed, *, skip_bad: bool) -> None:
    if parsed.table.num_rows and (skip_bad or not len(parsed.problems)):
        return
    counts = parsed.problems.counts()
    raise OpenFileHasBadRows(
        dataset=descriptor.dataset.name,
        bad=len(parsed.problems.rows()),
        rows=parsed.rows,
        reasons=", ".join(f"{reason} {count}" for reason, count in counts.items()) or "no rows",
        counts=counts,
        first=[problem._asdict() for problem in parsed.problems.first(LISTED)],
    )
