"""Rows into the broker: entities first, where they are not there yet or have attributes; then all observations at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sanpo.broker.batches import create_entities, upsert_entities
from sanpo.broker.entities import Place
from sanpo.broker.errors import EntityExists
from sanpo.broker.ingest.converting import Converter, Row
from sanpo.broker.ingest.errors import RecordIsBad
from sanpo.broker.ingest.store import existing_ids
from sanpo.broker.sight import check_writer
from sanpo.broker.temporal.ingest import Observation, ingest
from sanpo.ground.db import Transaction


@dataclass
class Written:
    """What became of a batch. `refused` are the rows that cannot be stored, by their place in it, with the reason."""

    observations: int = 0
    entities: set[str] = field(default_factory=set)
    refused: dict[int, str] = field(default_factory=dict)


def write(
    place: Place,
    converter: Converter,
    rows: Sequence[Row],
    *,
    note: Callable[[Transaction, Written], None] | None = None,
    all_or_nothing: bool = False,
) -> Written:
    """Stores rows. `note` runs in the last transaction, that of the observations.

    With `all_or_nothing` nothing is stored where a row is refused. What only the writing of entities itself refuses is
    found after others have been made: then no observation is stored.
    """
    writer = check_writer(place.city, place.actor)
    work = _plan(place, converter, rows)
    found = Written(refused=work.refused)
    if all_or_nothing and found.refused:
        return found
    failed = work.carry_out(place)
    found.refused.update((at, failed[row.entity_id]) for at, row in enumerate(rows) if row.entity_id in failed)
    if all_or_nothing and found.refused:
        return found
    kept = [row for at, row in enumerate(rows) if at not in found.refused]
    found.entities = {row.entity_id for row in kept}
    observations: list[Observation] = [each for row in kept for each in row.observations]
    found.observations = len(observations)
    if observations:
        ingest(place, observations, note=note and (lambda tx: note(tx, found)))
    elif note is not None:
        with place.transaction(writer) as tx:
            note(tx, found)
    return found


@dataclass
class _Work:
    """What is to be written of entities: new ones, and more of those that are there, in the order of the rows."""

    fresh: dict[str, Any] = field(default_factory=dict)
    more: list[Any] = field(default_factory=list)
    refused: dict[int, str] = field(default_factory=dict)

    def carry_out(self, place: Place) -> dict[str, str]:
        """Returns why entities could not be written, by id."""
        results = [create_entities(place, list(self.fresh.values()))] if self.fresh else []
        if self.more:
            results.append(upsert_entities(place, self.more, update=True))
        return {
            entity_id: place.city.words.text("en", f"error.{error.code}", **error.fields)
            for result in results
            for entity_id, error in result.errors
            if entity_id is not None and not isinstance(error, EntityExists)
        }


def _plan(place: Place, converter: Converter, rows: Sequence[Row]) -> _Work:
    there = existing_ids(place, list({row.entity_id for row in rows}))
    work = _Work()
    for at, row in enumerate(rows):
        is_known = row.entity_id in there or row.entity_id in work.fresh
        if not is_known and not converter.mapping.entity.create:
            work.refused[at] = "there is no such entity"
        elif row.attributes or not is_known:
            try:
                doc = converter.entity(row.entity_id, row.attributes, place.now())
            except RecordIsBad as error:
                work.refused[at] = error.reason
                continue
            if is_known:
                work.more.append(doc)
            else:
                work.fresh[row.entity_id] = doc
    return work
