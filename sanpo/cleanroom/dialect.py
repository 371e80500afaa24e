"""SQL text to sqlglot's tree and back to positions: the reader's small dialect knows no function of its own.

With sqlglot's tables of functions emptied every call keeps the name and the place that the author wrote, so that a
refusal can point at it. Only this file and the readers (`parse.py`, `parse_*.py`) see sqlglot.
"""

import logging
import re
from dataclasses import dataclass
from functools import lru_cache

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, SqlglotError
from sqlglot.parsers.duckdb import DuckDBParser
from sqlglot.tokenizer_core import Token, TokenType

from sanpo.cleanroom.errors import QuestionNotInSubset

LONGEST = 20_000
MOST_TOKENS = 4_000
DEEPEST_PARENTHESES = 40
SHAPE = "select … from dataset [join … using (key)] [where …] [group by …] [order by …] [limit …]"
_OPENS = {")": "(", "]": "["}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,120}")


class Subset(DuckDB):
    """DuckDB's grammar without its functions."""

    class Parser(DuckDBParser):
        FUNCTIONS = {}
        FUNCTION_PARSERS = {}
        NO_PAREN_FUNCTIONS = {}

        def _parse_using_identifiers(self) -> list[exp.Expr]:
            """Keeps what stands before a key's name, so that the reader sees (and refuses) it; sqlglot drops it."""
            return self._parse_wrapped_csv(self._parse_column)


@dataclass(frozen=True)
class Source:
    """A statement's text with its tree: what the readers share, and how each of them refuses."""

    text: str
    tree: exp.Select

    def refusal(self, node: exp.Expr | None, suggestion: str) -> QuestionNotInSubset:
        """Points at the node, or at the statement where the tree has a hole."""
        return refusal(self.text, node or self.tree, suggestion)

    def only(self, node: exp.Expr, accepted: str, *parts: str) -> None:
        """Refuses a node that carries any part besides these: what is not looked at must not be there."""
        for part, value in node.args.items():
            if value and part not in parts:
                inside = value[0] if isinstance(value, list) else value
                raise self.refusal(inside if isinstance(inside, exp.Expr) else node, accepted)

    def name(self, node: exp.Expr | None) -> str:
        """A name as in PostgreSQL: in small letters unless quoted."""
        if not isinstance(node, exp.Identifier):
            raise self.refusal(node, "name")
        name = node.name if node.args.get("quoted") else node.name.lower()
        if not _NAME.fullmatch(name):
            raise self.refusal(node, "small_letters_and_digits")
        return name

    def plain_column(self, node: exp.Expr | None, accepted: str) -> str:
        """A column's name with nothing before it."""
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise self.refusal(node, accepted)
        self.only(node, accepted, "this")
        return self.name(node.this)


def read_tree(text: str) -> exp.Select:
    """The tree of one `select`. Raises `QuestionNotInSubset` for everything else."""
    tokens = _tokens(text)
    if tokens[0].token_type != TokenType.SELECT:
        raise refusal_at(text, tokens[0].start, tokens[0].end, SHAPE)
    try:
        statements = Subset().parser().parse(tokens, text)
    except ParseError as error:
        raise _parse_refusal(text, error) from None
    except Exception:  # whatever makes another's parser stumble is no question of ours
        raise refusal_at(text, 0, len(text) - 1, SHAPE) from None
    found = [statement for statement in statements if statement is not None]
    if len(found) != 1 or not isinstance(found[0], exp.Select):
        raise refusal_at(text, 0, len(text) - 1, SHAPE)
    return found[0]


def refusal(text: str, node: exp.Expr, suggestion: str) -> QuestionNotInSubset:
    """`QuestionNotInSubset` at the place of this part of the tree, or of what is around it."""
    places = [each.meta for each in node.walk() if "start" in each.meta]
    if not places and node.parent is not None:
        return refusal(text, node.parent, suggestion)
    start = min((place["start"] for place in places), default=0)
    end = max((place["end"] for place in places), default=len(text) - 1)
    while (opens := _OPENS.get(text[end + 1 : end + 2])) and _is_open(text[start : end + 1], opens, text[end + 1]):
        end += 1
    return refusal_at(text, start, end, suggestion)


def refusal_at(text: str, start: int, end: int, suggestion: str) -> QuestionNotInSubset:
    """`QuestionNotInSubset` at this place; `start` and `end` (inclusive) are offsets into the text."""
    line = text.count("\n", 0, start) + 1
    column = start - text.rfind("\n", 0, start)
    found = " ".join(text[start : end + 1].split())
    shown = found if len(found) <= 60 else found[:59] + "…"
    return QuestionNotInSubset(line=line, column=column, found=shown, suggestion=suggestion)


def _is_open(found: str, opens: str, closes: str) -> bool:
    return found.count(opens) > found.count(closes)


@lru_cache(maxsize=4096)
def is_plain_word(name: str) -> bool:
    """True where the name can stand in a statement without quotation marks."""
    tokens = Subset().tokenize(name)
    return len(tokens) == 1 and tokens[0].token_type == TokenType.VAR


def _tokens(text: str) -> list[Token]:
    try:
        text.encode()
        tokens = Subset().tokenize(text) if len(text) <= LONGEST else []
    except (SqlglotError, UnicodeError):
        raise refusal_at(text, 0, len(text) - 1, SHAPE) from None
    depth = 0
    for token in tokens:
        depth += {TokenType.L_PAREN: 1, TokenType.R_PAREN: -1}.get(token.token_type, 0)
        if depth > DEEPEST_PARENTHESES:
            raise refusal_at(text, token.start, token.end, SHAPE)
    if not 0 < len(tokens) <= MOST_TOKENS:
        raise refusal_at(text, 0, len(text) - 1, SHAPE)
    return tokens


def _parse_refusal(text: str, error: ParseError) -> QuestionNotInSubset:
    """Points at the token at which sqlglot stopped (it counts lines from 1 and gives the token's last column)."""
    first = error.errors[0] if error.errors else {}
    lines = text.split("\n")
    line = min(max(first.get("line") or 1, 1), len(lines))
    word = first.get("highlight") or ""
    ends = sum(len(each) + 1 for each in lines[: line - 1]) + (first.get("col") or 1)
    start = max(ends - max(len(word), 1), 0)
    return refusal_at(text, min(start, max(len(text) - 1, 0)), max(ends - 1, 0), SHAPE)


# sqlglot logs what it cannot read; a question's text does not belong in a log.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)
