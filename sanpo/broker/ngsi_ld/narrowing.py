"""What the parameters of a request say of the registrations that it is about (§5.10.2, §5.12)."""

from collections.abc import Mapping

from sanpo.broker.language.ids import parse_id_pattern, parse_ids
from sanpo.broker.language.projection import parse_attrs
from sanpo.broker.language.q.matching import matches_q
from sanpo.broker.language.q.parse import parse_q
from sanpo.broker.language.type_selection import parse_types
from sanpo.broker.ngsi_ld.calls import Call
from sanpo.broker.ngsi_ld.linking import Linked
from sanpo.broker.registrations import actions
from sanpo.broker.registrations.matching import Asked


def asked_in(call: Call, linked: Linked) -> Asked:
    """What a query's parameters are about."""
    ids, types, pattern, attrs = (call.query.get(name) for name in ("id", "type", "idPattern", "attrs"))
    return Asked(
        frozenset(parse_ids(ids)) if ids else None,
        parse_types(types, linked.context) if types else None,
        frozenset(parse_attrs(attrs, linked.context)) if attrs else None,
        parse_id_pattern(pattern) if pattern and not ids else None,
    )


def source_filter(values: Mapping[str, str], linked: Linked) -> actions.Fits:
    """The filter over sources (`csf`, §4.9)."""
    given = values.get("csf")
    if not given:
        return lambda registration: True
    query = parse_q(given, linked.context, parameter="csf")
    return lambda registration: matches_q(query, registration.as_entity())
