r"""Regular expressions of askers: a checked subset that means the same in Python and in PostgreSQL. Pure.

ETSI GS CIM 009 §4.9 asks for IEEE 1003.2 (POSIX) expressions, people write Perl's. What both know is read here: literals,
`.`, classes, groups, `|`, `* + ? {n,m}`, `^`, `$`, and ASCII's `\d \w \s \D \W \S`, `[:alpha:]` and the like. It is written
anew for each engine, so that both agree and no engine's own extensions can be reached. A pattern is found anywhere in the
text, as regexec does; a lazy quantifier or a group's memory makes no difference to whether it is found, so they are
dropped. Back-references and look-around are refused: no engine answers them in linear time.

Python's side is RE2 (linear in the text). PostgreSQL's engine is an automaton too as long as nothing refers back; what a
repetition can blow up to is bounded here. A `statement_timeout` is the second wall, not the first.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from sanpo.broker.language.scanner import Scanner

MAX_PATTERN = 512
MAX_REPEAT = 255
MAX_STATES = 300  # PostgreSQL takes up to 20 ms to make an automaton of so many, and eight times as long for twice
MAX_NESTING = 20
ACCEPTED = r"literals . [a-z] [^a-z] ( ) | * + ? {n,m} ^ $ \d \w \s \. [:alpha:]"
_CLASSES = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\v\f\r "}
_POSIX = {
    "alpha": "A-Za-z",
    "digit": "0-9",
    "alnum": "0-9A-Za-z",
    "upper": "A-Z",
    "lower": "a-z",
    "space": _CLASSES["s"],
    "blank": r" \t",
    "punct": r"!-\/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
    "word": _CLASSES["w"],
}
_CONTROLS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
_COUNTED = re.compile(r"\{([0-9]{1,4})(?:(,)([0-9]{1,4})?)?\}")
_POSIX_CLASS = re.compile(r"\[:([a-z]+):\]")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A regular expression of the subset. `source` is as the asker wrote it, `text` as both engines take it."""

    source: str
    text: str
    states: int

    def found_in(self, value: str) -> bool:
        """Whether some part of `value` fits, in time linear in its length."""
        return _compiled(self.text)(value) is not None


@lru_cache(maxsize=512)
def _compiled(text: str) -> Callable[[str], Any]:
    options = re2.Options()
    options.log_errors = False
    found: Callable[[str], Any] = re2.compile(f"(?s:{text})", options).search
    return found


def read_pattern(source: str, parameter: str) -> Pattern:
    """Checks and translates. Raises `QueryIsMalformed` with the place in the pattern, or `QueryIsTooComplex`."""
    scanner = Scanner(source, parameter)
    if len(source) > MAX_PATTERN:
        scanner.too_complex("characters of a regular expression", MAX_PATTERN)
    reader = _Reader(scanner)
    text, states = reader.branches(0)
    if not scanner.ended:
        scanner.fail(ACCEPTED)
    if states > MAX_STATES:
        scanner.too_complex("states of a regular expression", MAX_STATES)
    return Pattern(source, f"(?:{text})", states)


class _Reader:
    """Recursive descent; each method returns the text for both engines and the number of states it needs."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner

    def branches(self, depth: int) -> tuple[str, int]:
        if depth > MAX_NESTING:
            self.scanner.too_complex("nested groups of a regular expression", MAX_NESTING)
        parts = [self._branch(depth)]
        while self.scanner.take("|"):
            parts.append(self._branch(depth))
        return "|".join(text for text, _ in parts), sum(states for _, states in parts) + len(parts)

    def _branch(self, depth: int) -> tuple[str, int]:
        texts, total = [], 0
        while not self.scanner.ended and self.scanner.peek() not in "|)":
            text, states = self._piece(depth)
            texts.append(text)
            total += states
        return "".join(texts) or "(?:)", total

    def _piece(self, depth: int) -> tuple[str, int]:
        start = self.scanner.at
        text, states, repeats = self._atom(depth)
        while (again := self._quantifier()) is not None:
            if not repeats:
                self.scanner.fail(ACCEPTED, at=start)
            quantifier, times = again
            text, states = f"(?:{text}){quantifier}", states * times + 1
            if states > MAX_STATES:
                self.scanner.too_complex("states of a regular expression", MAX_STATES)
        return text, states

    def _quantifier(self) -> tuple[str, int] | None:
        """The quantifier here and how often its atom is laid out; None where there is none."""
        scanner, start = self.scanner, self.scanner.at
        letter = scanner.peek()
        if letter and letter in "*+?":
            scanner.at += 1
            found, times = letter, 1
        elif letter == "{":
            counted = _COUNTED.match(scanner.text, start)
            if counted is None:
                scanner.fail("{n} {n,} {n,m}")
            low, comma, high = counted.groups()
            most = max(int(low), int(high or 0))
            if most > MAX_REPEAT or (high and int(high) < int(low)):
                scanner.fail(f"{{n,m}} n <= m <= {MAX_REPEAT}")
            scanner.at = counted.end()
            found, times = f"{{{int(low)}{comma or ''}{int(high) if high else ''}}}", most + 1
        else:
            return None
        if scanner.take("?"):
            return found, times  # lazy: the same texts are found
        if scanner.peek() == "+":
            scanner.fail(ACCEPTED)  # possessive
        return found, times

    def _atom(self, depth: int) -> tuple[str, int, bool]:
        """Text, states, and whether it may be repeated."""
        scanner, start = self.scanner, self.scanner.at
        letter = scanner.peek()
        scanner.at += 1
        if letter in "^$":
            return letter, 1, False
        if letter == ".":
            return ".", 1, True
        if letter == "(":
            if scanner.peek() == "?" and not scanner.take("?:"):
                scanner.fail(ACCEPTED, at=start)  # look-around, flags, names
            text, states = self.branches(depth + 1)
            scanner.need(")")
            return f"(?:{text})", states, True
        if letter == "[":
            return self._bracket(), 1, True
        if letter == "\\":
            return self._escape(start), 1, True
        if letter in "*+?{":
            scanner.fail(ACCEPTED, at=start)
        return literal(letter), 1, True

    def _escape(self, start: int) -> str:
        letter = self.scanner.peek()
        self.scanner.at += 1
        if letter.lower() in _CLASSES:
            return f"[{'^' if letter.isupper() else ''}{_CLASSES[letter.lower()]}]"
        return literal(self._escaped(letter, start))

    def _escaped(self, letter: str, start: int) -> str:
        """The character that an escape stands for."""
        if letter in _CONTROLS:
            return _CONTROLS[letter]
        if not letter or letter.isalnum() or letter == "_" or not letter.isascii():
            self.scanner.fail(ACCEPTED, at=start)  # back-references, \b, \p{…}
        return letter

    def _bracket(self) -> str:
        """A class after its `[`, with every character escaped that an engine could read otherwise."""
        scanner, start = self.scanner, self.scanner.at - 1
        inside = "^" if scanner.take("^") else ""
        first = True
        while first or scanner.peek() != "]":
            if scanner.ended:
                scanner.fail(ACCEPTED, at=start)
            inside += self._member(start)
            first = False
        scanner.at += 1
        return f"[{inside}]"

    def _member(self, start: int) -> str:
        scanner = self.scanner
        named = scanner.match(_POSIX_CLASS)
        if named is not None:
            if named[2:-2] not in _POSIX:
                scanner.fail(" ".join(f"[:{name}:]" for name in _POSIX), at=scanner.at - len(named))
            return _POSIX[named[2:-2]]
        if scanner.peek(2) in ("[.", "[="):
            scanner.fail(ACCEPTED)
        if scanner.peek() == "\\" and scanner.peek(2)[1:].lower() in _CLASSES and scanner.peek(2)[1:].islower():
            scanner.at += 2
            return _CLASSES[scanner.text[scanner.at - 1]]
        low = self._end(start)
        if scanner.peek() != "-" or scanner.peek(2) == "-]":
            return literal(low)
        scanner.at += 1
        if scanner.ended:
            scanner.fail(ACCEPTED, at=start)
        high = self._end(start)
        if high < low:
            scanner.fail("[a-z]", at=start)
        return f"{literal(low)}-{literal(high)}"

    def _end(self, start: int) -> str:
        letter = self.scanner.peek()
        self.scanner.at += 1
        if letter != "\\":
            return letter
        escaped = self.scanner.peek()
        self.scanner.at += 1
        return self._escaped(escaped, start)


def literal(letter: str) -> str:
    """One character as both engines take it for itself, inside a class and outside."""
    # Control characters stand for themselves: PostgreSQL reads as many digits after \\x as there are.
    plain = letter.isalnum() or letter == "_" or ord(letter) <= 0x20 or ord(letter) >= 0x7F
    return letter if plain else "\\" + letter


def anywhere(text: str) -> str:
    """A text that is to be found as it is, in the form of both engines."""
    return "".join(map(literal, text))
