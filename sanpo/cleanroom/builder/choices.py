"""What each control of the builder offers. What a rule forbids is offered too, with the refusal that it would meet. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import get_args

from sanpo.cleanroom.builder.building import kind_of
from sanpo.cleanroom.builder.sheet import BUCKETS, OPERATORS, UNITS, WAYS, FilterRow, MeasureRow, Operator, Way
from sanpo.cleanroom.errors import KeyIsUnknown, TimeNeedsBucket, TypeDoesNotFit
from sanpo.cleanroom.model import (
    COMPARISONS,
    SUBJECT,
    Derived,
    Dimension,
    Filter,
    Function,
    IsNull,
    Join,
    Measure,
    Question,
    Term,
)
from sanpo.cleanroom.preview import FindScope, Inspector, standing_scope
from sanpo.cleanroom.rules import IDENTIFYING
from sanpo.cleanroom.scope import ATTRIBUTES, NUMERIC, ROWS, Scope
from sanpo.consent import PublishedAgreement
from sanpo.ground.errors import DomainError
from sanpo.lake import Dataset

FUNCTIONS: tuple[Function, ...] = get_args(Function)
DERIVED = ("count", "sum", "avg", "min", "max")
_OF_COLUMNS: tuple[Function, ...] = ("sum", "avg", "quantile", "variance", "correlation", "min", "max")


@dataclass(frozen=True)
class Option:
    """One thing to choose. `text` says what it is in both languages, where the catalogue does; `error` why it cannot be."""

    value: str
    text: Mapping[str, str] = field(default_factory=dict)
    unit: str | None = None
    error: DomainError | None = None


@dataclass(frozen=True)
class Group:
    """The columns of one dataset."""

    name: str
    text: Mapping[str, str]
    options: tuple[Option, ...]


@dataclass(frozen=True)
class Value:
    """How a filter's value is given: of which type, and among which values where they are few."""

    kind: str
    among: tuple[str, ...] = ()
    unit: str | None = None


@dataclass(frozen=True)
class Joinable:
    """A dataset to be joined: whether it can be at all, its keys, and its numbers to put together."""

    dataset: Dataset
    error: DomainError | None
    keys: tuple[Option, ...]
    numbers: tuple[Option, ...]


def dataset_options(datasets: Sequence[Dataset], agreement: PublishedAgreement, find: FindScope) -> list[Option]:
    """Every dataset; those that the agreement does not name, or that are about no one, with the reason."""
    questions = [Question(dataset=each.name, measures=()) for each in datasets]
    errors = [Inspector(find(question), agreement).dataset_error() for question in questions]
    return [Option(each.name, each.text, error=error) for each, error in zip(datasets, errors, strict=True)]


def split_groups(inspector: Inspector) -> list[Group]:
    """What cells can be split by."""

    def error(name: str) -> DomainError | None:
        buckets = inspector.scope.buckets(name) if inspector.scope.column(name).type == "timestamp" else ()
        return _split_error(inspector, Dimension(column=name, bucket=buckets[0] if buckets else None))

    return _groups(inspector.scope, error)


def filter_groups(inspector: Inspector) -> list[Group]:
    """What rows can be kept by."""
    return _groups(inspector.scope, lambda name: _filter_error(inspector, IsNull(term=Term(column=name))))


def unchecked_groups(scope: Scope) -> list[Group]:
    """All columns that name nobody, whatever an agreement says."""
    groups = _groups(scope, lambda _: None)
    return [
        Group(each.name, each.text, tuple(o for o in each.options if scope.column(o.value).role not in IDENTIFYING))
        for each in groups
    ]


def measure_groups(inspector: Inspector, row: MeasureRow) -> list[Group]:
    """What the row's function can be of; where it is not allowed itself, what another could be of."""
    allowed = [each for each in _OF_COLUMNS if each in inspector.agreement.rule.functions]
    probe: Function = row.function if row.function in allowed else next(iter(allowed), "sum")
    return _groups(inspector.scope, lambda name: _measure_error(inspector, _measure(probe, name)))


def function_options(inspector: Inspector) -> list[Option]:
    """Every function; one is forbidden where it is of every column."""
    numbers = [each for group in _groups(inspector.scope, lambda _: None) for each in group.options]
    names = [each.value for each in numbers if inspector.scope.column(each.value).type in NUMERIC]
    ruled = [name for name in names if name.split(".")[-1] in inspector.agreement.rule.measures]
    return [Option(each, error=_function_error(inspector, each, [*ruled, *names])) for each in FUNCTIONS]


def way_options(inspector: Inspector, column: str, *, is_split: bool) -> list[Option]:
    """As it is, by time or by bands; for a filter without bands. All of them while no column is chosen."""
    ways = WAYS if is_split else WAYS[:-1]
    if column not in inspector.scope.places:
        return [Option(way) for way in ways]

    def error(way: Way) -> DomainError | None:
        term = _term(column, way)
        split = Dimension(column=column, bucket=term.bucket, unit=term.unit, band=term.band)
        found = _split_error(inspector, split) if is_split else _filter_error(inspector, IsNull(term=term))
        return found if isinstance(found, TypeDoesNotFit | TimeNeedsBucket) else None

    return [Option(way, error=error(way)) for way in ways]


def operator_options(inspector: Inspector, row: FilterRow) -> list[Option]:
    """Every comparison; of true and false only equality."""
    value = value_of(inspector.scope, row)

    def error(op: Operator) -> DomainError | None:
        if value.kind != "bool" or op not in COMPARISONS:
            return None
        condition: Filter = COMPARISONS[op](term=term_of(row), value=True)  # type: ignore[assignment]
        return _filter_error(inspector, condition)

    return [Option(op, error=error(op)) for op in OPERATORS]


def value_of(scope: Scope, row: FilterRow) -> Value:
    """What belongs beside the row's column."""
    place = scope.places.get(row.column)
    if place is None:
        return Value("text")
    kind = kind_of(term_of(row), scope)
    is_plain = not row.way
    among = ("true", "false") if kind == "bool" else (place.column.domain or ()) if is_plain else ()
    return Value(kind, among, place.column.unit if is_plain else None)


def term_of(row: FilterRow) -> Term:
    return _term(row.column, row.way)


def joinables(
    datasets: Sequence[Dataset], question: Question, agreement: PublishedAgreement, find: FindScope
) -> list[Joinable]:
    """Every other dataset with its keys. Each key is tried by itself, after the joins that the question has already."""
    own = find(Question(dataset=question.dataset, measures=()))
    known = {own.dataset.name} | ({own.attributes.name} if own.attributes is not None else set())
    return [_joinable(each, question, agreement, find) for each in datasets if each.name not in known]


def _joinable(dataset: Dataset, question: Question, agreement: PublishedAgreement, find: FindScope) -> Joinable:
    errors = [_key_error(dataset, key.name, question, agreement, find) for key in dataset.keys]
    keys = tuple(Option(key.name, error=error) for key, error in zip(dataset.keys, errors, strict=True))
    none = KeyIsUnknown(key="—", dataset=dataset.name, accepted="—")
    numbers = tuple(
        Option(each.name, each.text, each.unit)
        for each in dataset.columns
        if each.type in NUMERIC and each.role not in IDENTIFYING
    )
    return Joinable(dataset, None if None in errors else next(iter(errors), none), keys, numbers)


def _key_error(
    dataset: Dataset, key: str, question: Question, agreement: PublishedAgreement, find: FindScope
) -> DomainError | None:
    """Why rows cannot be matched by this key. The joined rows are counted, so that there is one for each."""
    others = tuple(join for join in question.joins if join.dataset != dataset.name)
    probe = Join(dataset=dataset.name, as_="probe", on=(key,), columns=(Derived(function="count", as_="rows"),))
    scope, broken = standing_scope(Question(dataset=question.dataset, joins=(*others, probe), measures=()), find)
    if len(others) in broken:
        return broken[len(others)]
    return Inspector(scope, agreement).join_error(len(scope.joined) - 1)


def _groups(scope: Scope, error: Callable[[str], DomainError | None]) -> list[Group]:
    """All names that a question can use, each once: what is joined goes by `alias.column`."""
    joined = {each.name for each in scope.joined}
    groups: dict[str, list[str]] = {}
    for name, place in scope.places.items():
        if place.column.name != SUBJECT and (place.side in joined) == ("." in name):
            groups.setdefault(place.side, []).append(name)
    found = []
    for side in sorted(groups, key=[ROWS, ATTRIBUTES, *(each.name for each in scope.joined)].index):
        dataset = scope.dataset_of(groups[side][0])
        label = dataset.name if side in (ROWS, ATTRIBUTES, dataset.name.split(".")[1]) else f"{dataset.name} ({side})"
        columns = [(name, scope.column(name)) for name in groups[side]]
        options = tuple(Option(name, column.text, column.unit, error(name)) for name, column in columns)
        found.append(Group(label, dataset.text, options))
    return found


def _term(column: str, way: Way) -> Term:
    if way in UNITS:
        return Term(column=column, bucket="date_trunc", unit=UNITS[way])
    if way == "band":
        return Term(column=column, band=(0,))
    return Term(column=column, bucket=BUCKETS.get(way))


def _measure(function: Function, column: str) -> Measure:
    other = column if function == "correlation" else None
    return Measure(function=function, column=column, other=other, q=0.5 if function == "quantile" else None)


def _function_error(inspector: Inspector, function: Function, columns: Sequence[str]) -> DomainError | None:
    if function in ("count", "subjects"):
        return _measure_error(inspector, Measure(function=function))
    errors = [_measure_error(inspector, _measure(function, column)) for column in columns]
    return None if None in errors else next(iter(errors), None)


def _split_error(inspector: Inspector, dimension: Dimension) -> DomainError | None:
    return inspector.error(Question(dataset=inspector.scope.dataset.name, dimensions=(dimension,), measures=()))


def _measure_error(inspector: Inspector, measure: Measure) -> DomainError | None:
    return inspector.error(Question(dataset=inspector.scope.dataset.name, measures=(measure,)))


def _filter_error(inspector: Inspector, condition: Filter) -> DomainError | None:
    return inspector.error(Question(dataset=inspector.scope.dataset.name, measures=(), filter=condition))
