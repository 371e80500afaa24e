"""The best text of a LanguageProperty for a reader: ranges with weights (§4.15; RFC 9110 §12.5.4, RFC 4647 §3.4)."""

from typing import Any


def pick_language(texts: dict[str, Any], ranges: str) -> tuple[str, Any]:
    """(tag, text) of the best match; where none matches, the text without language, else the first."""
    by_tag = {tag.lower(): tag for tag in texts}
    for wanted in _by_weight(ranges):
        tag = _match(wanted, by_tag)
        if tag is not None:
            return tag, texts[tag]
    tag = "@none" if "@none" in texts else next(iter(texts))
    return tag, texts[tag]


def _by_weight(ranges: str) -> list[str]:
    weighed: list[tuple[float, str]] = []
    for part in ranges.split(","):
        name, _, parameter = part.strip().partition(";")
        weight = 1.0
        if parameter.strip().lower().startswith("q="):
            try:
                weight = float(parameter.strip()[2:])
            except ValueError:
                weight = 0.0
        if name.strip() and weight > 0:
            weighed.append((-weight, name.strip().lower()))
    return [name for _, name in sorted(weighed, key=lambda each: each[0])]


def _match(wanted: str, by_tag: dict[str, str]) -> str | None:
    if wanted == "*":
        return next(iter(by_tag.values()))
    parts = wanted.split("-")
    for length in range(len(parts), 0, -1):
        shorter = "-".join(parts[:length])
        if shorter in by_tag:
            return by_tag[shorter]
        if length == len(parts):
            longer = next((tag for low, tag in by_tag.items() if low.startswith(wanted + "-")), None)
            if longer is not None:
                return longer
    return None
