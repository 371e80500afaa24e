"""How datasets are joined: by keys that both sides declare, and so that no row is ever multiplied. Pure.

A key has a kind (subject, household, area, mesh, time). The rows' side of a key is its own column of that kind, an
attribute's, or that of what was joined before; a time key cuts the rows' time to the key's unit. The joined dataset
must be unique by the keys, or be put together by them first; so there is no cartesian product to refuse later.
"""

from collections.abc import Callable, Iterator

from sanpo.cleanroom.errors import (
    ColumnIdentifiesPeople,
    ColumnIsUnknown,
    JoinIsAmbiguous,
    JoinMultipliesRows,
    JoinNeedsSubject,
    KeyHasNoMatch,
    KeyIsUnknown,
    TypeDoesNotFit,
)
from sanpo.cleanroom.model import SUBJECT, Derived, Join, Question, Term
from sanpo.cleanroom.scope import NUMERIC, Joined, Matched, Scope
from sanpo.lake import Dataset, Key

Find = Callable[[str], Dataset]


def open_scope(question: Question, find: Find) -> Scope:
    """What the question can name. `find` gives a dataset by name and raises `DatasetIsUnknown`.

    Raises `KeyIsUnknown`, `KeyHasNoMatch`, `JoinIsAmbiguous`, `JoinMultipliesRows`, `JoinNeedsSubject`,
    `ColumnIsUnknown`, `ColumnIdentifiesPeople`, `TypeDoesNotFit`.
    """
    dataset = find(question.dataset)
    scope = Scope(dataset, None if dataset.attributes is None else find(dataset.attributes))
    for join in question.joins:
        scope = Scope(dataset, scope.attributes, (*scope.joined, _joined(scope, join, find(join.dataset))))
    return scope


def _joined(scope: Scope, join: Join, dataset: Dataset) -> Joined:
    keys = [_key(dataset, name) for name in join.on]
    if dataset.personal and not any(key.kind == "subject" for key in keys):
        raise JoinNeedsSubject(dataset=dataset.name, accepted=_names(dataset, "subject"))
    if not join.columns and not (dataset.unique and set(dataset.unique) <= set(join.on)):
        raise JoinMultipliesRows(dataset=dataset.name, on=", ".join(join.on), unique=", ".join(dataset.unique) or "—")
    for each in join.columns:
        _check_derived(each, dataset)
    return Joined(join, dataset, tuple(Matched(_left(scope, key), _stored(dataset, key), key.unit) for key in keys))


def _key(dataset: Dataset, name: str) -> Key:
    for key in dataset.keys:
        if key.name == name:
            return key
    accepted = ", ".join(key.name for key in dataset.keys) or "—"
    raise KeyIsUnknown(key=name, dataset=dataset.name, accepted=accepted)


def _left(scope: Scope, key: Key) -> Term:
    """The rows' side of the key: of the same name and kind if there is one, else the only one of its kind."""
    if key.kind == "subject":
        return Term(column=SUBJECT)
    if key.kind == "time" and scope.dataset.time_column is not None:
        return Term(column=scope.dataset.time_column, bucket="date_trunc", unit=key.unit)  # type: ignore[arg-type]
    found = [(name, own) for name, own in _own_keys(scope) if own.kind == key.kind]
    same = [(name, own) for name, own in found if own.name == key.name]
    chosen = list(dict(same or found))
    if not chosen:
        raise KeyHasNoMatch(key=key.name, kind=key.kind, dataset=scope.dataset.name)
    if len(chosen) > 1:
        raise JoinIsAmbiguous(key=key.name, accepted=", ".join(chosen))
    (name,) = chosen
    if key.kind == "time":
        return Term(column=name, bucket="date_trunc", unit=key.unit)  # type: ignore[arg-type]
    return Term(column=name)


def _own_keys(scope: Scope) -> Iterator[tuple[str, Key]]:
    """The keys of what is in scope already, with the name by which a question reaches their column.

    Those by which something was joined are not told again: they equal the rows' own.
    """
    for dataset in (scope.dataset, scope.attributes):
        yield from ((key.column, key) for key in (() if dataset is None else dataset.keys))
    for joined in scope.joined:
        if not joined.join.columns:
            others = [key for key in joined.dataset.keys if key.name not in joined.join.on]
            yield from ((f"{joined.name}.{key.column}", key) for key in others)


def _stored(dataset: Dataset, key: Key) -> str:
    return dataset.local_column or key.column if key.column == dataset.time_column else key.column


def _check_derived(derived: Derived, dataset: Dataset) -> None:
    if derived.column is None:
        return
    column = dataset.column(derived.column)
    numbers = ", ".join(
        each.name for each in dataset.columns if each.type in NUMERIC and each.role not in ("subject", "key")
    )
    if column is None:
        raise ColumnIsUnknown(column=derived.column, dataset=dataset.name, accepted=numbers)
    if column.role in ("subject", "key"):
        raise ColumnIdentifiesPeople(column=derived.column, accepted=numbers)
    if column.type not in NUMERIC:
        raise TypeDoesNotFit(column=column.name, type=column.type, found=derived.function, accepted=numbers)


def _names(dataset: Dataset, kind: str) -> str:
    return ", ".join(key.name for key in dataset.keys if key.kind == kind) or "—"
