"""References to the parts of a record: the name of a column or of a part of the topic, or a path into JSON. Pure.

A path is `$`, `.name`, `["name"]`, `[0]`; `[*]`, all of an array, is for `payload.records` alone.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sanpo.broker.ingest.errors import bad

Record = Mapping[str, Any]
"""Values by name; a JSON document under `$`."""
Reference = Callable[[Record], Any]
_STEP = re.compile(r'\.([A-Za-z_][\w-]*)|\["([^"\]]+)"\]|\[(\d{1,6})\]|(\[\*\])')
_PLACE = re.compile(r"\{([^{}]*)\}")
ALL = object()


def read_path(text: str) -> list[Any]:
    """The steps of a path: names, places in arrays, and `ALL`. Raises `ValueError`."""
    steps: list[Any] = []
    at = 1
    while at < len(text) or text[:1] != "$":
        found = _STEP.match(text, at) if text.startswith("$") else None
        if found is None:
            raise ValueError(f"{text!r} is no path")
        name, quoted, number, _ = found.groups()
        steps.append(name or quoted or (int(number) if number is not None else ALL))
        at = found.end()
    return steps


def walk(value: Any, steps: list[Any]) -> Iterator[Any]:
    """What is at the end of a path; nothing where there is no such member."""
    if not steps:
        yield value
        return
    step, *rest = steps
    if step is ALL:
        for each in value if isinstance(value, list) else ():
            yield from walk(each, rest)
    elif isinstance(step, int):
        if isinstance(value, list) and step < len(value):
            yield from walk(value[step], rest)
    elif isinstance(value, dict) and step in value:
        yield from walk(value[step], rest)


def reference(text: str) -> Reference:
    """Reads one value of a record; None where there is none. Raises `ValueError` for what is no path."""
    if not text.startswith("$"):
        return lambda record: record.get(text)
    steps = read_path(text)
    if ALL in steps:
        raise ValueError(f"{text!r} is more than one value")
    return lambda record: next(walk(record.get("$"), steps), None)


def template(text: str) -> Reference:
    """A text with places in braces, each a reference. Raises `ValueError`; a place without a value makes the record bad."""
    parts = _PLACE.split(text)
    places = [(name, reference(name)) for name in parts[1::2]]

    def filled(record: Record) -> str:
        found = list(parts)
        for at, (name, read) in enumerate(places):
            value = read(record)
            if value is None or value == "" or isinstance(value, dict | list | bool):
                bad(f"{name} is missing")
            found[2 * at + 1] = str(value)
        return "".join(found)

    return filled
