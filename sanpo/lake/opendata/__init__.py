"""Open data before it reaches the lake: its descriptor, the files that it is read from, and the rows made of them. Pure
but for reading files.
"""

from sanpo.lake.opendata.descriptor import Descriptor, Recipe, descriptor_from, read_descriptor
from sanpo.lake.opendata.files import OpenedFile, Progress, digest_of, open_table_file
from sanpo.lake.opendata.problems import Problem, Problems, Reason
from sanpo.lake.opendata.rows import Parsed, parse_rows
from sanpo.lake.opendata.uniqueness import repeated

__all__ = [
    "Descriptor",
    "OpenedFile",
    "Parsed",
    "Problem",
    "Problems",
    "Progress",
    "Reason",
    "Recipe",
    "descriptor_from",
    "digest_of",
    "open_table_file",
    "parse_rows",
    "read_descriptor",
    "repeated",
]
