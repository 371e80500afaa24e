"""Registers as a city's own system writes them: rows as dictionaries, the file as CSV."""

import csv
from pathlib import Path

Person = dict[str, str]


def person(number: int, **changes: str) -> Person:
    """A sound row; `number` makes it somebody else."""
    return {
        "reference": f"A{number}",
        "name": f"山田 {number}郎",
        "name_kana": f"ヤマダ {number}ロウ",
        "address": f"三方市北{number}丁目",
        "area": "北",
        "email": f"p{number}@example.jp",
        "birth_year": str(1940 + number),
        "household": f"H{number}",
    } | changes


def write(path: Path, people: list[Person], *, encoding: str = "utf-8", leave_out: tuple[str, ...] = ()) -> Path:
    """A register of these people, without the columns left out."""
    columns = [column for column in {key: None for one in people for key in one} if column not in leave_out]
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, columns, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(people)
    return path
