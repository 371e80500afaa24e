"""Datasets of the city's own that hold histories, and what every dataset with histories has beside its manifest's columns."""

from functools import cache

from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries
from sanpo.lake.model import Column, Dataset

_SQL = load_queries("sanpo.lake")
HISTORIES = "broker."
"""How the names of the city's own histories begin."""
_TEXT = {
    "ja": "まちの記録の履歴（くわしく宣言されていないもの）",
    "en": "Histories of entities that no service declares as a dataset",
}
AT = Column("observed_at", "timestamp", "time", internal=True)
_SUBJECT = Column("subject_no", "int32", "subject", internal=True)
COLUMNS = (
    Column("entity_no", "int64", "key", internal=True),
    Column("attr_no", "int32", "key", internal=True),
    Column("observation_no", "int64", "measure", internal=True),
    Column("flow_no", "int64", "measure", internal=True),
    Column("modified_at", "timestamp", "measure", internal=True),
    Column("created_at", "timestamp", "measure", internal=True),
    Column("is_observed", "bool", "measure", internal=True),
    Column("raw_number", "float64", "measure", internal=True),
    Column("unit_code", "text", "measure", internal=True),
    Column("dataset_id", "text", "measure", internal=True),
    Column("instance", "text", "measure", internal=True),
    Column("is_removed", "bool", "measure", internal=True),
)
"""`flow_no` says with which move the row came; the others are those of the broker's observations."""
NAMES = tuple(column.name for column in COLUMNS)


@cache
def own_history(name: str, *, personal: bool) -> Dataset:
    """The city's own history of this name."""
    subject = (_SUBJECT,) if personal else ()
    return Dataset(name, personal, (*subject, AT, *COLUMNS), time_column=AT.name, text=_TEXT, internal=True)


def register_history(tx: Transaction, name: str, *, personal: bool) -> None:
    """Makes the city's own history of this name a dataset of the lake."""
    tx.execute(_SQL.register_history, name=name, personal=personal)


def own_histories(city: City) -> list[Dataset]:
    return [own_history(row.name, personal=row.personal) for row in city.db.read_all(_SQL.histories)]
