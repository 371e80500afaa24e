"""What is held here of what a proxy would take for itself (§5.9.2.4, §5.9.3.4).

Public entities alone count: a personal one stays here whatever a registration claims (docs/decisions/0015), and a refusal
must not tell anybody that it is there.
"""

from sanpo.broker.language.type_selection import TypeSelection
from sanpo.broker.querying import find_public
from sanpo.broker.registrations.model import Information, Registration, Selector
from sanpo.broker.selection import AllOf, AnyOf, HasAttribute, IdPattern, Ids, OfType, Part
from sanpo.ground.db import Transaction


def find_held(tx: Transaction, tenant_no: int, registration: Registration) -> str | None:
    """An entity here that the registration names, with one of the attributes that it names."""
    return find_public(tx, tenant_no, AnyOf(tuple(_part(each) for each in registration.information)))


def _part(information: Information) -> Part:
    parts: list[Part] = []
    if information.selectors:
        parts.append(AnyOf(tuple(map(_selected, information.selectors))))
    if information.attributes is not None:
        parts.append(HasAttribute(information.attributes))
    return AllOf(tuple(parts))


def _selected(selector: Selector) -> Part:
    parts: list[Part] = [OfType(TypeSelection(((selector.type,),)))]
    if selector.id is not None:
        parts.append(Ids(frozenset({selector.id})))
    elif selector.pattern is not None:
        parts.append(IdPattern(selector.pattern))
    return AllOf(tuple(parts))
