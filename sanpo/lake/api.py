"""The lake over HTTP: what datasets there are; a resident asks for the erasure of their own rows, and sees how far it is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from litestar import get, post

from sanpo.ground.actors import Actor
from sanpo.ground.city import City
from sanpo.ground.problems import problem_responses
from sanpo.lake.catalogue import list_datasets
from sanpo.lake.model import kind_of
from sanpo.lake.upkeep import Erasure, ask_erasure, list_erasures

PATH = "/api/lake/erasures"


@dataclass(frozen=True)
class ErasedView:
    """What went out of one dataset. `removed_sha256` names the list of files that held the rows."""

    dataset: str
    rows: int
    files_removed: int
    files_rewritten: int
    removed_sha256: str
    version_before: int
    version_after: int | None


@dataclass(frozen=True)
class ErasureView:
    """`asked`, then `erased` (in no dataset any more), then `gone` (no file is left). The entries are the journal's.

    `elsewhere` counts what was deleted outside of the lake, by name.
    """

    erasure_id: str
    state: Literal["asked", "erased", "gone"]
    asked_at: datetime
    erased_at: datetime | None
    entry_id: str | None
    files_gone_by: datetime | None
    files_gone_at: datetime | None
    files_gone_entry_id: str | None
    datasets: list[ErasedView]
    elsewhere: dict[str, int]


@post(PATH, sync_to_thread=True, status_code=202, responses=problem_responses(401, 403))
def post_erasure(city: City, actor: Actor) -> ErasureView:
    """Asks for the erasure of all rows about the resident (by themself or a representative). It withdraws nothing.

    Asked again before it is carried out, it is the same erasure.
    """
    return _view(ask_erasure(city, actor))


@get(PATH, sync_to_thread=True, responses=problem_responses(401, 403))
def get_erasures(city: City, actor: Actor) -> list[ErasureView]:
    """The resident's own erasures, newest first."""
    return [_view(erasure) for erasure in list_erasures(city, actor)]


def _view(erasure: Erasure) -> ErasureView:
    return ErasureView(
        erasure_id=erasure.erasure_id,
        state=erasure.state,
        asked_at=erasure.asked_at,
        erased_at=erasure.erased_at,
        entry_id=erasure.entry_id,
        files_gone_by=erasure.gone_by,
        files_gone_at=erasure.gone_at,
        files_gone_entry_id=erasure.gone_entry_id,
        datasets=[ErasedView(**deletion.as_public()) for deletion in erasure.took_out],
        elsewhere=dict(erasure.elsewhere),
    )


@dataclass(frozen=True)
class ColumnView:
    """One column: its type and role, its unit where it has one, and what it is, by language."""

    name: str
    type: str
    role: str
    unit: str | None
    text: dict[str, str]


@dataclass(frozen=True)
class DatasetView:
    """One dataset of the catalogue. Open data names licence (SPDX identifier or address) and attribution."""

    name: str
    kind: Literal["personal", "open", "public"]
    text: dict[str, str]
    columns: list[ColumnView]
    licence: str | None
    attribution: str | None


@get("/api/lake/datasets", sync_to_thread=True)
def get_datasets(city: City) -> list[DatasetView]:
    """Every dataset of the city with its columns, for everybody. Rows are had by a question, or by an export."""
    return [
        DatasetView(
            name=dataset.name,
            kind=kind_of(dataset),
            text=dict(dataset.text),
            columns=[ColumnView(c.name, c.type, c.role, c.unit, dict(c.text)) for c in dataset.columns],
            licence=dataset.licence,
            attribution=dataset.attribution,
        )
        for dataset in list_datasets(city)
    ]


handlers: list[Any] = [post_erasure, get_erasures, get_datasets]
