"""Which registrations an operation concerns, and with which ids and attributes (§5.12). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sanpo.broker.language.geo import GeoQuery, matches_geo
from sanpo.broker.language.patterns import Pattern
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.model import Query
from sanpo.broker.language.scopes import ScopeQuery, matches_scope_q
from sanpo.broker.language.temporal import TemporalQuery
from sanpo.broker.language.type_selection import TypeSelection, matches_types
from sanpo.broker.registrations.model import Information, Registration, Selector


@dataclass(frozen=True)
class Asked:
    """What an operation is about; None where it does not say."""

    ids: frozenset[str] | None = None
    types: TypeSelection | None = None
    attributes: frozenset[str] | None = None
    pattern: Pattern | None = None


@dataclass(frozen=True)
class Match:
    """A registration, and what of the operation it concerns: ids it names (None: any), attributes (None: all)."""

    registration: Registration
    ids: frozenset[str] | None
    attributes: frozenset[str] | None


def match(registration: Registration, asked: Asked) -> Match | None:
    """How the registration matches, or None."""
    found = [each for each in registration.information if information_matches(each, asked)]
    if not found:
        return None
    ids: set[str] | None = set()
    attributes: set[str] | None = set()
    for each in found:
        named = [selector.id for selector in each.selectors if _selects(selector, asked)]
        ids = None if ids is None or not named or None in named else ids | {name for name in named if name}
        if attributes is not None:
            held = each.attributes
            if held is None:
                attributes = None
            else:
                attributes |= held if asked.attributes is None else held & asked.attributes
    return Match(
        registration,
        None if ids is None else frozenset(ids),
        None if attributes is None else frozenset(attributes),
    )


def information_matches(information: Information, asked: Asked) -> bool:
    """Whether one element of a registration matches (§5.12)."""
    if information.selectors and not any(_selects(each, asked) for each in information.selectors):
        return False
    return (
        information.attributes is None
        or asked.attributes is None
        or not information.attributes.isdisjoint(asked.attributes)
    )


@dataclass(frozen=True)
class Conditions:
    """What a registration itself must be (§5.10.2.4, §5.11.7): of which times, with which properties, scopes and places."""

    times: TemporalQuery | None = None
    queries: tuple[Query, ...] = ()
    scopes: ScopeQuery | None = None
    place: GeoQuery | None = None

    def fit(self, registration: Registration) -> bool:
        entity = registration.as_entity()
        return (
            registration.covers(self.times)
            and all(matches_q(query, entity) for query in self.queries)
            and (self.scopes is None or matches_scope_q(self.scopes, entity))
            and (self.place is None or matches_geo(self.place, entity))
        )


def narrowed(registration: Registration, *asked: Asked) -> Registration:
    """The registration with those elements of its information alone that match any of these (§5.10.2.4)."""
    kept = [
        given
        for given, each in zip(registration.doc["information"], registration.information, strict=True)
        if any(information_matches(each, one) for one in asked)
    ]
    return replace(registration, doc={**registration.doc, "information": kept})


def conflicting(new: Registration, others: Iterable[Registration]) -> Registration | None:
    """A registration that holds for itself what `new` claims: once exclusive, no other proxy may be (§4.3.6.3)."""
    for other in others:
        if (
            "exclusive" not in (new.mode, other.mode)
            or not other.is_proxy
            or other.registration_id == new.registration_id
        ):
            continue
        for mine in new.information:
            for theirs in other.information:
                if _overlap(mine, theirs):
                    return other
    return None


def _overlap(mine: Information, theirs: Information) -> bool:
    attributes = (
        mine.attributes is None or theirs.attributes is None or not mine.attributes.isdisjoint(theirs.attributes)
    )
    if not mine.selectors or not theirs.selectors:  # any entity
        return attributes
    return attributes and any(_same(one, other) for one in mine.selectors for other in theirs.selectors)


def _same(one: Selector, other: Selector) -> bool:
    """Whether both may mean the same entity: of one type, and by ids that do not differ."""
    if one.type != other.type:
        return False
    for mine, theirs in ((one, other), (other, one)):
        if mine.id is not None and theirs.id is None and theirs.pattern is not None:
            return theirs.pattern.found_in(mine.id)
    return one.id is None or other.id is None or one.id == other.id


def _selects(selector: Selector, asked: Asked) -> bool:
    if asked.types is not None and not matches_types(asked.types, {"type": [selector.type]}):
        return False
    if asked.ids is not None:
        if selector.id is not None:
            return selector.id in asked.ids
        return selector.pattern is None or any(selector.pattern.found_in(each) for each in asked.ids)
    return asked.pattern is None or selector.id is None or asked.pattern.found_in(selector.id)
