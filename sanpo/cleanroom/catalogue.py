"""What can be asked for: datasets and columns as an asker sees them, and an example under an agreement."""

from dataclasses import dataclass

from sanpo.cleanroom.joins import open_scope
from sanpo.cleanroom.model import Dimension, Measure, Question
from sanpo.cleanroom.rules import IDENTIFYING
from sanpo.cleanroom.scope import Scope
from sanpo.consent import AnalysisRule, PublishedAgreement
from sanpo.ground.city import City
from sanpo.lake import get_dataset, list_datasets


@dataclass(frozen=True)
class AskableColumn:
    """`buckets` are the time buckets that it can be put into; `dataset` is where it lies."""

    name: str
    type: str
    unit: str | None
    dataset: str
    buckets: tuple[str, ...]
    domain: tuple[str, ...] | None
    text: dict[str, str]


@dataclass(frozen=True)
class AskableDataset:
    name: str
    text: dict[str, str]
    columns: tuple[AskableColumn, ...]


def scope_of(city: City, dataset: str) -> Scope:
    """What a question on this dataset alone can name. Raises `DatasetIsUnknown`."""
    found = get_dataset(city, dataset)
    return Scope(found, None if found.attributes is None else get_dataset(city, found.attributes))


def scope_for(city: City, question: Question) -> Scope:
    """What this question can name, joins included. Raises `DatasetIsUnknown` and what `joins.open_scope` raises."""
    return open_scope(question, lambda name: get_dataset(city, name))


def list_catalogue(city: City) -> list[AskableDataset]:
    """Every personal dataset with the columns that a question can name. Public: it describes, it holds nothing."""
    return [_askable(scope_of(city, each.name)) for each in list_datasets(city) if each.personal]


def columns_under(city: City, agreement: PublishedAgreement) -> list[AskableColumn]:
    """The columns that questions under this agreement can name."""
    found: dict[str, AskableColumn] = {}
    for use in agreement.draft.datasets:
        for column in _askable(scope_of(city, use.name)).columns:
            if column.name in agreement.columns_of(column.dataset):
                found[column.name] = column
    return list(found.values())


def example_under(city: City, agreement: PublishedAgreement) -> Question:
    """A question that this agreement allows: its first measure by its first two dimensions."""
    rule, scope = agreement.rule, scope_of(city, agreement.draft.datasets[0].name)
    named = [name for name in rule.dimensions if name in scope.places][:2]
    dimensions = tuple(Dimension(column=name, bucket=(scope.buckets(name) or (None,))[0]) for name in named)
    measured = [name for name in rule.measures if name in scope.places]
    functions = [
        function
        for function in ("avg", "sum", "quantile", "max", "min")
        if function in rule.functions and _is_bounded(function, measured, rule)
    ]
    measures = [Measure(function="count")] if "count" in rule.functions else []
    if measured and functions:
        q = 0.5 if functions[0] == "quantile" else None
        measures.append(Measure(function=functions[0], column=measured[0], q=q))
    return Question(dataset=scope.dataset.name, dimensions=dimensions, measures=tuple(measures))


def _is_bounded(function: str, measured: list[str], rule: AnalysisRule) -> bool:
    return function not in ("min", "max") or (bool(measured) and rule.clamp_of(measured[0]) is not None)


def _askable(scope: Scope) -> AskableDataset:
    columns = tuple(
        AskableColumn(
            name,
            place.column.type,
            place.column.unit,
            scope.dataset_of(name).name,
            place.buckets,
            place.column.domain,
            dict(place.column.text),
        )
        for name, place in scope.places.items()
        if place.column.role not in IDENTIFYING
    )
    return AskableDataset(scope.dataset.name, dict(scope.dataset.text), columns)
