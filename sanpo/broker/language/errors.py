"""Refusals of the query languages. Each says where the text went wrong and what would be accepted there."""

from sanpo.broker.errors import BrokerError
from sanpo.ground.errors import Kind


class QueryIsMalformed(BrokerError):
    """A query parameter is not in its grammar. Fields: parameter, position (from 1), found, accepted."""

    code = "broker.query_is_malformed"
    kind = Kind.INVALID


class QueryIsTooComplex(BrokerError):
    """A query is longer, deeper or wider than one may be (§5.5.6). Fields: parameter, what, most."""

    code = "broker.query_is_too_complex"
    kind = Kind.REFUSED
    ngsi_ld = "TooComplexQuery"


class GeometryIsMalformed(BrokerError):
    """A geometry is not GeoJSON as RFC 7946 has it. Fields: where, problem, accepted."""

    code = "broker.geometry_is_malformed"
    kind = Kind.INVALID
