"""JSON-LD contexts (ETSI GS CIM 009 §4.4, §5.13): what short names mean, at the edges of the broker and nowhere else.

Invariants: core terms cannot be overridden; reading a context is bounded in time, size and depth whoever wrote it, and
reaches no private address unless the city allows it; a context that is stored or configured needs no way out.

Tables: `broker.contexts`, `broker.context_revision`.
"""

from sanpo.broker.contexts.actions import address_of, single_url
from sanpo.broker.contexts.context import CORE, Context
from sanpo.broker.contexts.core_context import CORE_CONTEXT_URL, DEFAULT_VOCABULARY
from sanpo.broker.contexts.errors import ContextIsInvalid, ContextIsNotAvailable
from sanpo.broker.contexts.mapped import read_map
from sanpo.broker.contexts.resolving import resolve

__all__ = [
    "CORE",
    "CORE_CONTEXT_URL",
    "DEFAULT_VOCABULARY",
    "Context",
    "ContextIsInvalid",
    "ContextIsNotAvailable",
    "address_of",
    "read_map",
    "resolve",
    "single_url",
]
