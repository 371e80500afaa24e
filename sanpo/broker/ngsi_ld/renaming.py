"""A body under another @context, with the same meaning (§4.3.6.6)."""

from typing import Any

from sanpo.broker.contexts import CORE, Context

_ATTRIBUTES = frozenset({"location", "observationSpace", "operationSpace"})
"""Core terms that are names of attributes, beside those of users."""


def renamed(body: Any, old: Context, new: Context) -> Any:
    """Types and names of attributes, at every depth, as the new context has them. Values stay as they are."""
    if isinstance(body, list):
        return [renamed(each, old, new) for each in body]
    if not isinstance(body, dict):
        return body
    found = {}
    for name, value in body.items():
        if name in ("type", "@type", "vocab"):
            found[name] = _words(value, old, new)
        elif name in CORE.terms and name not in _ATTRIBUTES:
            found[name] = value
        else:
            found[new.compact(old.expand(name))] = renamed(value, old, new) if _is_attribute(value) else value
    return found


def _words(value: Any, old: Context, new: Context) -> Any:
    if isinstance(value, list):
        return [_words(each, old, new) for each in value]
    return new.compact(old.expand(value)) if isinstance(value, str) else value


def _is_attribute(value: Any) -> bool:
    """Whether there are names in it: a value of its own, as in the simplified representation, has none."""
    if isinstance(value, list):
        return all(_is_attribute(each) for each in value)
    return isinstance(value, dict) and any(name in CORE.terms for name in value) and "coordinates" not in value
