"""Whether the files of the lake are whole: each is there, has the size that its commit says, and reads to its end."""

from dataclasses import dataclass

from sanpo.ground.city import City
from sanpo.lake.catalogue import every_dataset, find_any
from sanpo.lake.reading import find_problem
from sanpo.lake.store import live_files, open_table, reading_system, table_url


@dataclass(frozen=True)
class Broken:
    """A file that cannot be read as it was written; `file` is its name inside the dataset."""

    dataset: str
    file: str
    problem: str


@dataclass(frozen=True)
class Checked:
    """How many files were read, and which of them are broken."""

    files: int
    broken: tuple[Broken, ...]


def check_files(city: City, name: str | None = None) -> Checked:
    """Reads every file of a dataset, or of all. Raises `DatasetIsUnknown`, `LakeIsUnavailable`."""
    datasets = every_dataset(city) if name is None else [find_any(city, name)]
    count, broken = 0, []
    for dataset in datasets:
        url = table_url(city.lake_url, dataset)
        files = live_files(open_table(url, dataset), dataset)
        fs = reading_system(url)
        count += len(files)
        for file in files:
            problem = find_problem(fs, file.path, rows=file.rows, size=file.bytes)
            if problem is not None:
                broken.append(Broken(dataset.name, file.path, problem))
    return Checked(count, tuple(broken))
