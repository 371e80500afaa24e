"""Whether rows are unique by the keys that a dataset declares so. Rows are matched by them, so this is checked, not hoped."""

import duckdb
import pyarrow as pa

from sanpo.lake.model import Dataset, Key


def repeated(dataset: Dataset, table: pa.Table) -> list[int]:
    """Positions of the rows whose keys in `unique` an earlier row has already, ascending."""
    if not dataset.unique:
        return []
    terms = ", ".join(_term(dataset, key) for key in dataset.keys if key.name in dataset.unique)
    rows = table.append_column("at_", pa.array(range(table.num_rows), pa.int64()))
    with duckdb.connect() as engine:
        engine.execute("set timezone = 'UTC'")
        engine.register("rows_", rows)
        found = engine.sql(
            f"select at_ from rows_ qualify row_number() over (partition by {terms} order by at_) > 1 order by at_"
        ).fetchall()
    return [at for (at,) in found]


def _term(dataset: Dataset, key: Key) -> str:
    """A time key is cut to its unit, on the local clock where the dataset has one."""
    if key.kind != "time":
        return f'"{key.column}"'
    column = dataset.local_column or key.column if key.column == dataset.time_column else key.column
    return f"date_trunc('{key.unit}', \"{column}\")"
