"""The residents' register as a file: what is in it, what is wrong with it, and what it would change. Pure but for reading."""

from sanpo.people.register.changes import Changes, Entry, compare
from sanpo.people.register.files import (
    ENCODINGS,
    Problem,
    Progress,
    RegisterFile,
    Row,
    no_progress,
    parse_register,
    read_register,
)

__all__ = [
    "ENCODINGS",
    "Changes",
    "Entry",
    "Problem",
    "Progress",
    "RegisterFile",
    "Row",
    "compare",
    "no_progress",
    "parse_register",
    "read_register",
]
