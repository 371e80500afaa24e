"""The vault's door for histories. Statements are put together from fixed pieces of `queries.sql`; values are parameters."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.broker.language.condition import Condition, Parameters, all_of
from sanpo.broker.language.temporal import compile_temporal
from sanpo.broker.model import Attributes
from sanpo.broker.store import SQL as ENTITIES
from sanpo.broker.store import encode
from sanpo.broker.temporal.model import Chronicle, Span
from sanpo.ground.city import City
from sanpo.ground.db import Transaction
from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
Groups = Mapping[int, int]
"""Numbers of entities, each with the place of the chronicle that it belongs to."""
_MOMENTS = {
    "": "o.at",
    "observedAt": "o.at",
    "createdAt": "coalesce(o.created_at, o.modified_at)",
    "modifiedAt": "o.modified_at",
    "deletedAt": "o.at",
}
_TESTS = {
    "": "true",
    "observedAt": "o.observed and not o.removed",
    "createdAt": "not o.removed",
    "modifiedAt": "not o.removed",
    "deletedAt": "o.removed",
}
_METHODS = {
    "totalCount": SQL.total_count,
    "distinctCount": SQL.distinct_count,
    "sum": SQL.sum,
    "avg": SQL.avg,
    "min": SQL.min,
    "max": SQL.max,
    "stddev": SQL.stddev,
    "sumsq": SQL.sumsq,
}


@dataclass(frozen=True)
class Histories:
    """The histories of one tenant, as one connection or transaction reads them: all rows, or the public ones alone."""

    city: City
    read: Callable[..., list[Any]]
    tenant_no: int
    public: bool = False
    flowed: str | None = None
    """Rows that were read from the lake, as JSON."""

    def find(self, piece: str, **values: object) -> Chronicle | None:
        """One, by its id or the number of its entity."""
        sql = self._sql(SQL.chronicles, Condition(piece), witness="true")
        rows = self.read(sql, tenant_no=self.tenant_no, after=-1, limit=1, offset=0, **values)
        return _chronicle(rows[0]) if rows else None

    def find_by_id(self, entity_id: str) -> Chronicle | None:
        return self.find(SQL.by_id, entity_id=entity_id)

    def find_by_no(self, entity_no: int) -> Chronicle | None:
        return self.find(SQL.by_no, entity_no=entity_no)

    def list_with(
        self, condition: Condition, values: Mapping[str, object], span: Span, **page: object
    ) -> list[Chronicle]:
        """Those under the condition that have an instance in the span, in the order of their entities' creation.

        `page` is `after`, `limit`, and perhaps `offset`; with `maybe` also those of which the lake may hold one.
        """
        parameters = Parameters("t")
        witness = SQL.maybe.replace("/* witness */", SQL.witness) if page.pop("maybe", False) else ""
        sql = self._sql(SQL.chronicles, condition, self._span(span, parameters), span, witness=witness)
        given = {"offset": 0, **page, **values, **parameters.values}
        rows = self._read(sql, tenant_no=self.tenant_no, **given)
        return [_chronicle(row) for row in rows]

    def count_with(self, condition: Condition, values: Mapping[str, object], span: Span) -> int:
        parameters = Parameters("t")
        sql = self._sql(SQL.count, condition, self._span(span, parameters), span)
        return int(self._read(sql, tenant_no=self.tenant_no, after=-1, **values, **parameters.values)[0].n)

    def groups_of(self, chronicles: Sequence[Chronicle]) -> Groups:
        """All entities that bore the ids of these, one after another."""
        places = {each.entity_id: place for place, each in enumerate(chronicles)}
        rows = self.read(SQL.numbers, tenant_no=self.tenant_no, ids=list(places))
        return {row.entity_no: places[row.entity_id] for row in rows}

    def rows(self, groups: Groups, span: Span, limit: int) -> list[Any]:
        """Instances of the span, the first in time first; with `last_n` the last first."""
        parameters = Parameters("t")
        sql = self._sql(SQL.rows if span.last_n is None else SQL.last_rows, None, self._span(span, parameters), span)
        if span.last_n is None:
            return self._of(sql, groups, parameters, limit=limit)
        return self._of(sql, groups, parameters, limit=limit, last_n=span.last_n, attr_nos=self.attr_nos_in(groups))

    def bounds(self, groups: Groups, span: Span, owners: Sequence[str] | None) -> tuple[datetime, datetime] | None:
        """The first and the last moment that the span has an instance at."""
        parameters = Parameters("t")
        sql = self._sql(SQL.bounds, None, self._span(span, parameters, owners), span)
        row = self._read(sql, nos=list(groups), **parameters.values)[0]
        return None if row.first is None else (row.first, row.last)

    def owners(self, groups: Groups, span: Span) -> list[tuple[int, ...] | None]:
        """Whom the instances of the span are about, each group of residents once."""
        parameters = Parameters("t")
        sql = self._sql(SQL.owners, None, self._span(span, parameters), span)
        rows = self._read(sql, nos=list(groups), **parameters.values)
        return [None if row.subjects is None else tuple(row.subjects) for row in rows]

    def attr_nos_in(self, groups: Groups) -> list[int]:
        """The numbers of the attributes that the histories have any instance of."""
        return [row.attr_no for row in self._read(self._sql(SQL.attributes_in), nos=list(groups))]

    def attributes_in(self, groups: Groups) -> list[str]:
        return list(names_of(self.city, self.attr_nos_in(groups)).values())

    def aggregate(
        self,
        groups: Groups,
        span: Span,
        methods: Sequence[str],
        edges: Sequence[datetime],
        owners: Sequence[str] | None = None,
    ) -> list[Any]:
        """One row for each attribute, dataset and period that has instances. `edges` are where periods begin."""
        parameters = Parameters("t")
        sql = self._sql(SQL.aggregate, None, self._span(span, parameters, owners), span)
        sql = sql.replace("/* methods */", " ".join(_METHODS[each] for each in methods))
        return self._of(sql, groups, parameters, edges=list(edges))

    def _read(self, sql: str, **values: object) -> list[Any]:
        return self.read(sql, flowed=self.flowed, **values)

    def _of(self, sql: str, groups: Groups, parameters: Parameters, **values: object) -> list[Any]:
        return self._read(sql, nos=list(groups), groups=list(groups.values()), **values, **parameters.values)

    def _span(self, span: Span, parameters: Parameters, owners: Sequence[str] | None = None) -> Condition:
        name = _name(span)
        parts = [Condition(_TESTS[name])]
        if span.time is not None:
            parts.append(compile_temporal(span.time, parameters, column=_MOMENTS[name]))
        if span.attributes is not None:
            numbers = sorted(numbers_of(self.city, span.attributes).values())
            parts.append(Condition(f"o.attr_no = any({parameters.add(numbers, 'int[]')})"))
        if owners is not None:
            parts.append(Condition(f"coalesce(o.subjects::text, '') = any({parameters.add(list(owners), 'text[]')})"))
        return all_of(parts)

    def _sql(
        self,
        sql: str,
        condition: Condition | None = None,
        within: Condition | None = None,
        span: Span | None = None,
        *,
        witness: str = "",
    ) -> str:
        view = "broker.public_" if self.public else "broker."
        pieces = {
            "/* chronicles */": SQL.chronicle_source.replace("/* entities */", f"{view}entities"),
            "/* condition */": "" if condition is None else condition.sql,
            "/* witness */": witness or SQL.witness,
            "/* rows */": SQL.both if self.flowed is not None else f"{view}observations",
            "/* here */": f"{view}observations",
            "/* flowed */": f"{view}flowed",
            "/* span */": "true" if within is None else f"({within.sql})",
            "/* moment */": _MOMENTS["" if span is None else _name(span)],
        }
        for place, text in pieces.items():
            sql = sql.replace(place, text)
        return sql


def _name(span: Span) -> str:
    return "" if span.time is None else span.time.time_property


def _chronicle(row: Any) -> Chronicle:
    return Chronicle(
        row.entity_no,
        row.entity_id,
        row.types,
        row.scopes,
        None if row.subjects is None else tuple(row.subjects),
        row.created_at,
        row.modified_at,
        row.deleted_at,
    )


def numbers_of(city: City, iris: Sequence[str] | frozenset[str]) -> dict[str, int]:
    """The numbers of attributes by IRI; one that nobody ever wrote has none."""
    rows = city.db.read_all(ENTITIES.attributes, iris=sorted(iris))
    return {row.iri: row.attr_no for row in rows}


def names_of(city: City, numbers: Sequence[int]) -> dict[int, str]:
    """The IRIs of attributes by number."""
    known: dict[int, str] = city.__dict__.setdefault("_broker_attribute_names", {})
    new = sorted(set(numbers) - known.keys())
    if new:
        known.update((row.attr_no, row.iri) for row in city.db.read_all(SQL.attribute_names, nos=new))
    return {number: known[number] for number in set(numbers)}


def hold(tx: Transaction, tenant_no: int, entity_id: str) -> None:
    """Keeps others from writing the history of this id until the transaction ends."""
    tx.one(SQL.hold, tenant_no=tenant_no, entity_id=entity_id)


def make_chronicle(tx: Transaction, tenant_no: int, doc: Any, subjects: Sequence[int] | None, now: str) -> int:
    """An entity of which only the history is known; returns its number."""
    return int(
        tx.get(
            SQL.make_chronicle,
            tenant_no=tenant_no,
            entity_id=doc["id"],
            types=doc["type"],
            scopes=doc.get("scope"),
            subjects=None if subjects is None else list(subjects),
            now=now,
        ).entity_no
    )


def record(tx: Transaction, entity_no: int, attrs: Attributes, subjects: Sequence[int] | None, now: str) -> None:
    """Adds instances. Their attributes have numbers already (`register_attributes`)."""
    tx.execute(
        SQL.record,
        entity_no=entity_no,
        attrs=encode(attrs).decode(),
        subjects=None if subjects is None else list(subjects),
        now=now,
    )


def widen_types(tx: Transaction, entity_no: int, types: Sequence[str]) -> None:
    """Of an entity of which only the history is known."""
    tx.execute(SQL.widen_types, entity_no=entity_no, types=list(types))


def delete_attribute(
    tx: Transaction, groups: Groups, attr_no: int, *, dataset_id: str | None = None, every: bool = False
) -> int:
    """Returns how many instances it was."""
    return tx.execute(SQL.delete_attribute, nos=list(groups), attr_no=attr_no, dataset_id=dataset_id, every=every)


def find_instance(tx: Transaction, groups: Groups, attr_no: int, observation_no: int) -> Any | None:
    """One instance, locked."""
    return tx.one(SQL.instance, nos=list(groups), attr_no=attr_no, observation_no=observation_no)


def change_instance(tx: Transaction, row: Any, attrs: Attributes, now: str) -> None:
    tx.execute(
        SQL.change_instance,
        entity_no=row.entity_no,
        observation_no=row.observation_no,
        attrs=encode(attrs).decode(),
        now=now,
    )


def bring_back(tx: Transaction, row: Any, attrs: Attributes, now: str) -> None:
    """Puts an instance that was read from the lake here again, as it was changed."""
    tx.execute(
        SQL.bring_back,
        observation_no=row.observation_no,
        entity_no=row.entity_no,
        created_at=row.created_at or row.modified_at,
        subjects=row.subjects,
        attrs=encode(attrs).decode(),
        now=now,
    )


def delete_instance(tx: Transaction, groups: Groups, attr_no: int, observation_no: int) -> int:
    return tx.execute(SQL.delete_instance, nos=list(groups), attr_no=attr_no, observation_no=observation_no)


def delete_history(tx: Transaction, groups: Groups) -> int:
    """Deletes all instances, and what is known of entities that are gone; returns how many rows it was."""
    return int(tx.get(SQL.delete_history, nos=list(groups)).n)


def ingest(
    tx: Transaction, observations: Sequence[Any], nos: Mapping[str, int], numbers: Mapping[str, int], now: str
) -> None:
    """Adds observations of entities that this transaction has locked."""
    tx.execute(
        SQL.ingest,
        nos=[nos[each.entity_id] for each in observations],
        attr_nos=[numbers[each.attribute] for each in observations],
        times=[each.observed_at for each in observations],
        numbers=[each.number for each in observations],
        units=[each.unit for each in observations],
        now=now,
    )
