"""DateTime, Date and Time as ETSI GS CIM 009 §4.6.3 writes them, and keys by which they are ordered as texts. Pure.

The same order is computed here and in PostgreSQL, from the text alone: left-aligned digits, the fraction of a second
filled up to six.
"""

import re
from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["dateTime", "date", "time"]
_DATE = "[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
_TIME = "(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:[.,][0-9]{1,6})?Z"
SHAPES: dict[Kind, str] = {"dateTime": f"{_DATE}T{_TIME}", "date": _DATE, "time": _TIME}
"""What a stored text must look like to be compared as one; the same pattern serves PostgreSQL."""
_SHAPES = {kind: re.compile(shape) for kind, shape in SHAPES.items()}
_SECONDS = {"dateTime": 19, "time": 8}
ACCEPTED = "2026-04-01T09:00:00Z | 2026-04-01 | 09:00:00Z"


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time. `key` is its text without `Z`, with six digits of the second's fraction where it has a time."""

    kind: Kind
    key: str

    @property
    def text(self) -> str:
        """As the standard writes it, without needless zeros."""
        if self.kind == "date":
            return self.key
        return self.key.rstrip("0").rstrip(".") + "Z"

    @property
    def canonical(self) -> str:
        """As the canonical form of an entity holds its own times."""
        return self.key if self.kind == "date" else self.key + "Z"


def read_moment(text: str) -> Moment | None:
    """The moment that `text` is, or None. Days that no calendar has are none."""
    for kind in _SHAPES:
        key = moment_key(kind, text)
        if key is None:
            continue
        if kind != "time":
            try:
                date.fromisoformat(text[:10])
            except ValueError:
                return None
        return Moment(kind, key)
    return None


def moment_key(kind: Kind, text: str) -> str | None:
    """By what a stored text is ordered among its kind; None where it is not of that kind."""
    if not _SHAPES[kind].fullmatch(text):
        return None
    if kind == "date":
        return text
    seconds = _SECONDS[kind]
    return (text[:seconds] + "." + text[seconds + 1 :].rstrip("Z")).ljust(seconds + 7, "0")
