"""Media types and languages of a request (§6.3.4, §6.3.6; RFC 9110 §12): what the client can read, what it sent."""

import re
from functools import lru_cache

JSON, LD, GEO, MERGE = "application/json", "application/ld+json", "application/geo+json", "application/merge-patch+json"
PROBLEM = "application/problem+json"
_WEIGHT = re.compile(r"0(?:\.\d{0,3})?|1(?:\.0{0,3})?")


@lru_cache(maxsize=512)
def choose(accept: str, offered: tuple[str, ...]) -> str | None:
    """The best of `offered`, which is in the order of the standard's preference; None where none is acceptable."""
    if not accept:
        return offered[0]
    weights = [_weigh(part) for part in accept.split(",")]
    best, best_weight = None, 0.0
    for media_type in offered:
        weight = _weight_of(media_type, weights)
        if weight > best_weight:
            best, best_weight = media_type, weight
    return best


def _weigh(part: str) -> tuple[str, float]:
    name, *parameters = part.split(";")
    weight = 1.0
    for parameter in parameters:
        key, _, value = parameter.strip().partition("=")
        if key.lower() == "q" and _WEIGHT.fullmatch(value):  # what is no weight changes none (RFC 9110 §12.4.2)
            weight = float(value)
    return name.strip().lower(), weight


def _weight_of(media_type: str, weights: list[tuple[str, float]]) -> float:
    """The weight that the most specific range gives."""
    main = media_type.split("/")[0]
    for wanted in (media_type, f"{main}/*", "*/*"):
        found = [weight for name, weight in weights if name == wanted]
        if found:
            return max(found)
    return 0.0


@lru_cache(maxsize=512)
def media_type_of(content_type: str) -> str:
    """The type without its parameters."""
    return content_type.partition(";")[0].strip().lower()
