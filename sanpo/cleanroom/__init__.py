"""Clean room: questions in, safe answers out. The one way from the lake to anybody else than the resident.

Purpose: an organisation asks a question under an agreement; only rows of residents whose grant is valid at that moment
are read; only what `disclosure` lets through leaves; the use is in the journal and its returns are booked in the
transaction that releases the answer (DESIGN §2, promises 1, 2, 3, 5 and 7).

Invariants
* Nothing but the question's small model reaches an engine; literals are bound, never written into a statement.
* No plan without an admission from the gate, which `confirm` checks again right before the release.
* A cell is told only with the minimum of distinct subjects; order and limit cannot tell what is suppressed.
* All engines give the same answer to the same question, to the last suppressed cell.

Tables: none. The subset of SQL and the JSON model are in docs/reference/questions.md.
"""

from sanpo.cleanroom.actions import ask
from sanpo.cleanroom.answer import Answer, AnswerColumn, AnswerReturn, AnswerRow
from sanpo.cleanroom.catalogue import list_catalogue
from sanpo.cleanroom.model import Question, read_question
from sanpo.cleanroom.parse import parse_sql
from sanpo.cleanroom.printer import print_sql

__all__ = [
    "Answer",
    "AnswerColumn",
    "AnswerReturn",
    "AnswerRow",
    "Question",
    "ask",
    "list_catalogue",
    "parse_sql",
    "print_sql",
    "read_question",
]
