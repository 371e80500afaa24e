"""Statements for the parser to bear: valid ones of the whole subset, what can be done to them, and soups of tokens."""

import random
import re
from collections.abc import Callable

_WORDS = """
select from where group by order limit and or not in between is null true false as distinct all case when then end
join left right full outer inner cross natural semi anti asof lateral positional using on cube rollup grouping sets
union intersect except with recursive over partition window qualify having exists any some interval cast date
timestamp desc asc nulls first offset fetch sample pivot unpivot unnest values table copy attach insert delete update
count sum avg min max quantile median variance var_samp correlation corr band width_bucket hour half_hour weekday
date_trunc filter within array struct map read_parquet glob getenv current_user area energy_wh start_at energy
readings open weather bus rides subject w r b subject_no card_no start_local admitted key_0 derived_0 p0
"""
_MARKS = """
( ) ( ) ( ) , , . * = != <> < > <= >= + - / // || :: ; [ ] { } ? $1 $p0 : := @ # ~ -> => % ^ & | ! \\ '' ' " ` $$
"x" "R" "a""b" 'day' '2026-01-01' E'\\n' x'ff' /* */ -- λ 地区 é ｓｅｌｅｃｔ 🙂 ſelect K
"""
_NUMBERS = """
0 1 -1 0.5 .5 5. 1e9 1e-9 1e308 1e999 -1e999 0x1F 0b1 1_000 007 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 18446744073709551616 1e400 4.9e-324 00000 1e
"""
_BLANKS = ["\n", "\t", "\x00", "\ud800", "\ufeff", "\u00a0", "\u202e", "\u2028", "-- x\n", "/* x */"]
NUMBERS = _NUMBERS.split()
TOKENS = [*_WORDS.split(), *_MARKS.split(), *_BLANKS, *NUMBERS, "9" * 400]
_PIECES = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\w+(?:\.\w+)*|\s+|[<>!=]=|<>|.", re.DOTALL)


class Author:
    """Writes valid statements over the datasets of `worlds`, in many spellings."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.joins: list[str] = []
        self.numbers: list[str] = []
        self.splits: list[str] = []

    def statement(self) -> str:
        chance = self.chance
        own = chance.choice(["", "", " as r", " r", " as own"])
        before = chance.choice(["", f"{own.split()[-1]}." if own else "readings."])
        self.joins = []
        self.numbers = [before + name for name in ("energy_wh", "total_wh", "volts")]
        self.splits = [before + "note", "area", f"hour({before}start_at)", f"date_trunc('day', {before}start_at)"]
        for add in chance.sample([self._weather, self._means, self._rides, self._passes], chance.randint(0, 2)):
            self.joins.append(add())
        split = [f"{term} as s{at}" for at, term in enumerate(self._terms())]
        items = [*split, *(f"{measure} as m{at}" for at, measure in enumerate(self._measures()))]
        parts = [f"select {', '.join(items)} from energy.readings{own}", *self.joins]
        if chance.random() < 0.6:
            parts.append(f"where {self._condition(3)}")
        if split:
            parts.append(self._group(len(split)))
        if chance.random() < 0.3:
            parts.append(f"order by {items[0].split()[-1]}{chance.choice(['', ' desc', ' asc'])}")
        if chance.random() < 0.3:
            parts.append(f"limit {chance.randint(1, 10_000)}")
        return " ".join(parts)

    def _pick(self, *choices: str) -> str:
        return self.chance.choice(choices)

    def _weather(self) -> str:
        self.numbers += ["w.temperature_c", "w.rain_mm", "rain_mm"]
        self.splits += ["w.kind", "weekday(w.hour_at)"]
        return f"{self._pick('join', 'inner join')} open.weather{self._pick(' as w', ' w')} using (area, hour)"

    def _means(self) -> str:
        self.numbers += ["mean_c", "m.most"]
        return (
            "join (select day, avg(temperature_c) as mean_c, max(rain_mm) as most from open.weather group by day)"
            f"{self._pick(' as m', ' m')} using (day)"
        )

    def _rides(self) -> str:
        self.numbers += ["b.rides", "b.fares"]
        return (
            "join (select subject, count(*) as rides, sum(fare_yen) as fares from bus.rides group by subject) as b"
            " using (subject)"
        )

    def _passes(self) -> str:
        self.numbers.append("passes.price_yen")
        self.splits += ["passes.kind", "bought_on", "month(bought_on)"]
        return "join bus.passes using (subject)"

    def _terms(self) -> list[str]:
        bands = [f"band({self.chance.choice(self.numbers)}, {edges})" for edges in ("10", "-5, 0.5, 200", "0, 1e3")]
        return self.chance.sample([*self.splits, *bands], self.chance.randint(0, 3))

    def _measures(self) -> list[str]:
        one, other = self.chance.choice(self.numbers), self.chance.choice(self.numbers)
        forms = [
            "count(*)",
            "count(distinct subject_no)",
            f"correlation({one}, {other})",
            f"quantile({one}, {self._pick('0', '0.25', '1')})",
            *(f"{name}({one})" for name in ("sum", "avg", "min", "max", "variance", "median")),
        ]
        return self.chance.sample(forms, self.chance.randint(1, 3))

    def _condition(self, depth: int) -> str:
        if depth and self.chance.random() < 0.5:
            inner = [self._condition(depth - 1) for _ in range(self.chance.randint(2, 3))]
            return self._pick("({})", "not ({})").format(self._pick(" and ", " or ").join(inner))
        number = self.chance.choice(self.numbers)
        return self._pick(
            f"{number} {self._pick('=', '!=', '<', '>=')} {self.chance.randint(-5, 400)}",
            f"{number} between 1 and 777",
            f"{number} is not null",
            "note in ('x', 'it''s', '港')",
            "start_at >= timestamp '2026-01-05 12:00'",
            "note is null",
            f"7 < hour({self.splits[-1] if self.splits[-1].startswith('start') else 'start_at'})",
        )

    def _group(self, count: int) -> str:
        names = [f"s{at}" for at in range(count)]
        self.chance.shuffle(names)
        return self._pick("group by all", f"group by {', '.join(names)}", f"group by cube ({', '.join(names)})")


def mutated(chance: random.Random, text: str, other: str) -> str:
    """The statement after one to four changes; `other` is one to take parts from."""
    pieces = _PIECES.findall(text)
    for _ in range(chance.choice([1, 1, 1, 2, 4])):
        chance.choice(_CHANGES)(chance, pieces, _PIECES.findall(other))
        pieces = pieces or [" "]
    damaged = "".join(pieces)
    return _cut_up(chance, damaged) if chance.random() < 0.2 else damaged


def soup(chance: random.Random) -> str:
    """Tokens in no order."""
    words = chance.choices(TOKENS, k=chance.randint(0, 25))
    return chance.choice(["", "select "]) + "".join(word + " " * chance.randint(0, 1) for word in words)


def noise(chance: random.Random) -> str:
    """Letters of any kind."""
    letters = [
        chr(chance.choice([chance.randrange(32, 127), chance.randrange(0x110000)])) for _ in range(chance.randrange(60))
    ]
    return chance.choice(["", "select ", "select count(*) from a.b where "]) + "".join(letters)


Change = Callable[[random.Random, list[str], list[str]], None]


def _insert(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    pieces.insert(chance.randint(0, len(pieces)), f" {chance.choice(TOKENS)} ")


def _delete(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    at = chance.randrange(len(pieces))
    del pieces[at : at + chance.choice([1, 1, 2, 6])]


def _swap(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    one, two = chance.randrange(len(pieces)), chance.randrange(len(pieces))
    pieces[one], pieces[two] = pieces[two], pieces[one]


def _replace(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    pieces[chance.randrange(len(pieces))] = chance.choice(TOKENS)


def _double(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    at = chance.randrange(len(pieces))
    pieces[at:at] = pieces[at : at + chance.randint(1, 8)]


def _splice(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    """Puts a part of the other statement (a join, a condition, a whole query) somewhere."""
    begin = chance.randrange(len(other))
    at = chance.randrange(len(pieces))
    pieces[at : at + chance.randint(0, 3)] = [" ", *other[begin : begin + chance.randint(1, 30)], " "]


def _nest(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    at, deep = chance.randrange(len(pieces)), chance.choice([1, 2, 5, 39, 45])
    end = min(len(pieces), at + chance.randint(1, 6))
    pieces[at:end] = ["(" * deep, *pieces[at:end], ")" * chance.choice([deep, deep, deep - 1])]


def _spell(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    """Other capitals, or quotation marks, or a comment: often the same statement."""
    at = chance.randrange(len(pieces))
    spelt = [
        str.upper,
        str.title,
        '"{}"'.format,
        "'{}'".format,
        "/* {0} */ {0}".format,
        "{} -- x'\n".format,
        "{}.{0}".format,
    ]
    pieces[at] = chance.choice(spelt[:6])(pieces[at])


def _number(chance: random.Random, pieces: list[str], other: list[str]) -> None:
    """A number at some limit instead of a number."""
    places = [at for at, piece in enumerate(pieces) if piece[:1].isdigit()] or [0]
    pieces[chance.choice(places)] = chance.choice(NUMBERS)


_CHANGES: list[Change] = [_insert, _insert, _delete, _swap, _replace, _double, _splice, _nest, _spell, _spell, _number]


def _cut_up(chance: random.Random, text: str) -> str:
    """Damage inside words."""
    at, end = sorted(chance.choices(range(len(text) + 1), k=2))
    return text[:at] + chance.choice([*TOKENS, "", text[at:end]]) + text[min(end, at + 8) :]
