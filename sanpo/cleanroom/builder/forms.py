"""Forms with rows, as a browser sends them: flat names such as `filters-2-value`, read into typed structs. Pure.

What no control of a page could have sent is refused; what is merely missing stays, to be asked for.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Struct, structs

from sanpo.cleanroom.errors import QuestionIsMalformed

_DEEPEST = 5
_Sheet = TypeVar("_Sheet", bound=Struct)


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """One row of controls. `row` stands for itself: a row with nothing in it yet is there too. `first` is the control that
    a reader comes to first."""

    first: ClassVar[str] = "column"
    row: Literal["", "1"] = ""

    @property
    def is_blank(self) -> bool:
        return self == type(self)(row=self.row)


def read_form(data: Mapping[str, str], kind: type[_Sheet]) -> _Sheet:
    """The form that was sent; other fields of it (buttons, the token) are left alone. Raises `QuestionIsMalformed`."""
    tree: dict[str, Any] = {}
    for name, value in data.items():
        if name.split("-")[0] in kind.__struct_fields__:
            _plant(tree, name, value.strip())
    try:
        return msgspec.convert(_listed(tree), kind)
    except msgspec.ValidationError as error:
        problem, _, where = str(error).partition(" - at `")
        raise QuestionIsMalformed(where=where.rstrip("`") or "$", problem=problem) from None


def changed(sheet: _Sheet, data: Mapping[str, str], kinds: Mapping[str, type[Row]]) -> tuple[_Sheet, str]:
    """The form with one row more (`add=filters`, `add=joins-0-columns`) or less (`remove=filters-2`), and the control
    where the reader goes on; the form as it is where no such button was pressed. Raises `QuestionIsMalformed`."""
    made: _Sheet
    if "add" in data:
        place, at = data["add"], 0

        def more(rows: tuple[Row, ...], part: str) -> tuple[Row, ...]:
            nonlocal at
            at = len(rows)
            return (*rows, kinds[part](row="1"))

        made = _changed(sheet, place.split("-"), more, kinds)
        return made, f"{place}-{at}-{kinds[place.split('-')[-1]].first}"
    if "remove" in data:
        *parts, last = data["remove"].split("-")
        number = _number(last, data["remove"])
        made = _changed(sheet, parts, lambda rows, _: (*rows[:number], *rows[number + 1 :]), kinds)
        return made, "add-" + "-".join(parts)
    return sheet, ""


def _plant(tree: dict[str, Any], name: str, value: str) -> None:
    *parts, last = name.split("-")
    inside = tree
    for part in parts:
        inside = inside.setdefault(part, {})
        if not isinstance(inside, dict) or len(parts) > _DEEPEST:
            raise QuestionIsMalformed(where=name[:80], problem="no such field")
    if last in inside:
        raise QuestionIsMalformed(where=name[:80], problem="the field stands twice")
    inside[last] = value


def _listed(inside: Any) -> Any:
    """Numbered rows as a list in the order of their numbers; gaps close."""
    if not isinstance(inside, dict):
        return inside
    if inside and all(name.isascii() and name.isdigit() and len(name) <= 3 for name in inside):
        return [_listed(inside[name]) for name in sorted(inside, key=int)]
    return {name: _listed(value) for name, value in inside.items()}


def _number(text: str, where: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise QuestionIsMalformed(where=where[:80], problem="rows are numbered")
    return int(text)


def _changed(
    sheet: Any, parts: list[str], change: Callable[[tuple[Row, ...], str], Any], kinds: Mapping[str, type[Row]]
) -> Any:
    part, *rest = parts
    rows = getattr(sheet, part, None) if part in kinds else None
    if rows is None:
        raise QuestionIsMalformed(where=part[:80], problem="no such rows")
    if not rest:
        return structs.replace(sheet, **{part: change(rows, part)})
    at = _number(rest[0], part)
    if at >= len(rows) or len(rest) < 2:
        raise QuestionIsMalformed(where=part, problem="no such row")
    inside = _changed(rows[at], rest[1:], change, kinds)
    return structs.replace(sheet, **{part: (*rows[:at], inside, *rows[at + 1 :])})
