"""Files of meter readings: opening, parsing, and what is wrong with them row by row. Pure but for reading the file."""

from sanpo.services.energy.files.checks import Checked, check_readings, never_matches
from sanpo.services.energy.files.green_button import parse_green_button
from sanpo.services.energy.files.opening import OpenedFile, Progress, open_readings
from sanpo.services.energy.files.problems import Problem, Problems, Reason
from sanpo.services.energy.files.readings import NO_OFFSET, FileContents, Readings, offset_text
from sanpo.services.energy.files.readings_csv import parse_csv
from sanpo.services.energy.files.zones import offsets_at

__all__ = [
    "NO_OFFSET",
    "Checked",
    "FileContents",
    "OpenedFile",
    "Problem",
    "Problems",
    "Progress",
    "Readings",
    "Reason",
    "check_readings",
    "never_matches",
    "offset_text",
    "offsets_at",
    "open_readings",
    "parse",
]


def parse(file: OpenedFile) -> FileContents:
    """The readings and problems of an opened file, by its format. Raises that format's errors."""
    return parse_csv(file) if file.format == "csv" else parse_green_button(file)
