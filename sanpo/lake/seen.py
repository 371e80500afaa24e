"""The newest version of each table as this process saw it last, so that a question need not open the table again.

A Delta table's next version is a file of a name that is known beforehand: as long as it is not there, nothing has changed.
Only for directories; an object store would be asked as often as opening the table asks it.
"""

from dataclasses import dataclass
from pathlib import Path

from sanpo.lake.evolution import shape_file
from sanpo.lake.layout import DataFile
from sanpo.lake.model import Dataset
from sanpo.lake.store import live_files, readable
from sanpo.lake.versions import open_version


@dataclass(frozen=True)
class Seen:
    """One version of a table: its files, and the one that has all columns in their present types, where one is needed."""

    version: int
    files: tuple[DataFile, ...]
    shape: str | None


_newest: dict[tuple[str, Dataset], Seen] = {}


def see(url: str, dataset: Dataset, version: int | None) -> Seen:
    """The table at `version`, or now. Raises as `open_version`."""
    if version is None and "://" not in readable(url):
        seen = _newest.get((url, dataset))
        if seen is not None and _is_newest(url, seen.version):
            return seen
    table = open_version(url, dataset, version)
    seen = Seen(table.version(), tuple(live_files(table, dataset)), shape_file(url, dataset))
    if version is None:
        _newest[url, dataset] = seen
    return seen


def _is_newest(url: str, version: int) -> bool:
    log = Path(readable(url)) / "_delta_log"
    return not (log / f"{version + 1:020d}.json").exists() and (log / f"{version:020d}.json").exists()
