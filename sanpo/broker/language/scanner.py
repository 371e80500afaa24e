"""A place in a text that is being read: what stands there, and the refusal that points at it. Pure."""

import re
from typing import NoReturn

from sanpo.broker.language.errors import QueryIsMalformed, QueryIsTooComplex

MAX_LENGTH = 16_384
_SHOWN = 24


class Scanner:
    """Reads `text`, the value of `parameter`, from left to right. Every refusal is a `QueryIsMalformed` with its place."""

    def __init__(self, text: str, parameter: str) -> None:
        if len(text) > MAX_LENGTH:
            raise QueryIsTooComplex(parameter=parameter, what="characters", most=MAX_LENGTH)
        self.text = text
        self.parameter = parameter
        self.at = 0
        bad = next((at for at, letter in enumerate(text) if letter == "\0" or "\ud800" <= letter <= "\udfff"), None)
        if bad is not None:  # neither a stored text nor a parameter of a statement can hold one
            self.at = bad
            self.fail("Unicode characters other than U+0000 and surrogates")

    @property
    def ended(self) -> bool:
        return self.at >= len(self.text)

    def peek(self, count: int = 1) -> str:
        return self.text[self.at : self.at + count]

    def spaces(self) -> None:
        while self.peek() in (" ", "\t"):
            self.at += 1

    def take(self, expected: str) -> bool:
        """Steps over `expected` if it stands here."""
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> str | None:
        """Steps over what `pattern` matches here and returns it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        return found.group()

    def need(self, expected: str) -> None:
        if not self.take(expected):
            self.fail(expected)

    def fail(self, accepted: str, *, at: int | None = None) -> NoReturn:
        """Raises; `accepted` is in the grammar's own signs, so that it reads the same in every language."""
        place = self.at if at is None else at
        found = self.text[place : place + _SHOWN]
        raise QueryIsMalformed(parameter=self.parameter, position=place + 1, found=found, accepted=accepted)

    def too_complex(self, what: str, most: int) -> NoReturn:
        raise QueryIsTooComplex(parameter=self.parameter, what=what, most=most)
