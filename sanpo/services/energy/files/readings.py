"""Readings as they come out of a file of any format: parallel arrays, one place for each reading."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sanpo.services.energy.files.problems import Problem, Problems, Reason

INTERVAL_S = 900
NO_OFFSET = np.iinfo(np.int32).min
LARGEST_WH = np.iinfo(np.int32).max

Format = Literal["csv", "green_button"]


@dataclass(frozen=True)
class Readings:
    """`meter` is an index into `meter_ids`; `start_s` counts seconds from 1970 in UTC; `offset_s` is the offset from
    UTC that the file states, or `NO_OFFSET`; `energy_wh` is what was used in the quarter of an hour from `start_s`.
    """

    meter_ids: tuple[str, ...]
    row: NDArray[np.int64]
    meter: NDArray[np.int32]
    start_s: NDArray[np.int64]
    offset_s: NDArray[np.int32]
    energy_wh: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.row)

    def where(self, mask: NDArray[np.bool_]) -> "Readings":
        """Those for which `mask` holds, in the same order."""
        return replace(
            self,
            row=self.row[mask],
            meter=self.meter[mask],
            start_s=self.start_s[mask],
            offset_s=self.offset_s[mask],
            energy_wh=self.energy_wh[mask],
        )

    def without(self, problems: Problems) -> "Readings":
        """Those whose row has no problem."""
        return self.where(~np.isin(self.row, problems.rows(), kind=None)) if len(problems) else self

    def problems(self, mask: NDArray[np.bool_], reason: Reason) -> Problems:
        """One problem for each reading for which `mask` holds; what was found is its start in its own offset."""
        return Problems(
            Problem(int(self.row[place]), self.meter_ids[self.meter[place]], reason, self.start_text(int(place)))
            for place in np.flatnonzero(mask)
        )

    def start_text(self, place: int) -> str:
        """The start as an ISO 8601 text with the file's own offset, or `Z`."""
        offset = int(self.offset_s[place])
        shift = 0 if offset == NO_OFFSET else offset
        return f"{np.datetime64(int(self.start_s[place]) + shift, 's')}{offset_text(offset)}"


@dataclass(frozen=True)
class FileContents:
    """What a parser made of a file: readings with the right form, problems of the others, how many rows there were,
    and how many values had more than three decimals of a kWh and were rounded to the nearest Wh (half to even)."""

    format: Format
    readings: Readings
    problems: Problems
    rows: int
    rounded: int


def offset_text(offset_s: int) -> str:
    """`+09:00`, `-03:30`; `Z` where there is no offset."""
    if offset_s == NO_OFFSET:
        return "Z"
    hours, minutes = divmod(abs(offset_s) // 60, 60)
    return f"{'-' if offset_s < 0 else '+'}{hours:02d}:{minutes:02d}"
