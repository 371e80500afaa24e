"""What the commands of `people` have in common: they act as the operator, and print what is there to be copied unfolded."""

import os
from collections.abc import Sequence
from typing import Any

from sanpo.ground.actors import System
from sanpo.ground.cli import out, print_json, print_table

OPERATOR = System("operator")


def show(fields: dict[str, Any], as_json: bool) -> None:
    """Line by line, never folded: ids, secrets and links are there to be copied."""
    if as_json:
        print_json(fields)
        return
    for name, value in fields.items():
        out.print(f"{name}: {value}", soft_wrap=True, markup=False, highlight=False)


def show_list(columns: Sequence[str], rows: Sequence[dict[str, Any]], as_json: bool) -> None:
    """As JSON everything; as a table the columns named, empty where there is nothing."""
    if as_json:
        print_json(rows)
    else:
        print_table(columns, [["" if row[name] is None else row[name] for name in columns] for row in rows])


def language() -> str:
    """The operator's language, from the environment."""
    return "ja" if (os.environ.get("LC_ALL") or os.environ.get("LANG") or "").startswith("ja") else "en"
