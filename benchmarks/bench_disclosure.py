"""What does disclosure control cost, in time and in cells? A table with margins against withholding every line of it.

A table of three dimensions (20 × 12 × 5: rows, sums and averages, totals asked) in which 5 % of the cells have fewer
subjects than the minimum. `seconds` and `cpu_s`: the whole release, with suppression and audit of subjects, rows and sums,
medians. `suppressed` cells are withheld, `complements` of them for the sake of others. `kept` is the share of cells that
are told; `times_kept_by_lines` is that over what the rule keeps that one would write first: every cell is withheld that
has a small one in its row, column or tube.
"""

import argparse
import statistics
import time

import numpy as np
from harness import report

from sanpo.cleanroom.disclosure import Protection, Release, release
from sanpo.cleanroom.model import Measure
from sanpo.cleanroom.plan import Cell

MEASURES = (
    Measure(function="count"),
    Measure(function="sum", column="energy_wh"),
    Measure(function="avg", column="energy_wh"),
)
MINIMUM = 10


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--shape", type=int, nargs="+", default=[20, 12, 5])
    options.add_argument("--small", type=float, default=0.05, help="share of cells below the minimum")
    options.add_argument("--subjects", type=int, default=120_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seed", type=int, default=1)
    given = options.parse_args()
    counts, cells = made(tuple(given.shape), given.small, given.subjects, given.seed)
    protected(cells)  # the first one imports the solver
    wall, cpu, out = timed(cells, given.rounds)
    inner = [row for row in out.rows if not any(row.totals)]
    suppressed = sum(row.subjects is None for row in inner)
    kept, by_lines = 1 - suppressed / counts.size, 1 - in_lines_of_small(counts).mean()
    report(
        "disclosure",
        {
            "shape": list(counts.shape),
            "small": int((counts < MINIMUM).sum()),
            "minimum": MINIMUM,
            "subjects": given.subjects,
        },
        {
            "seconds": statistics.median(wall),
            "cpu_s": statistics.median(cpu),
            "suppressed": suppressed,
            "complements": suppressed - int((counts < MINIMUM).sum()),
            "kept": kept,
            "kept_by_lines": by_lines,
            "times_kept_by_lines": kept / max(by_lines, 1 / counts.size),
        },
    )


def made(shape: tuple[int, ...], small: float, subjects: int, seed: int) -> tuple[np.ndarray, list[Cell]]:
    """Subjects of each cell, and the cells: 48 rows a subject, subjects drawn anew for each cell."""
    chance = np.random.default_rng(seed)
    counts = np.where(
        chance.random(shape) < small, chance.integers(1, MINIMUM, shape), chance.integers(MINIMUM, 200, shape)
    )
    cells = []
    for key, count in np.ndenumerate(counts):
        flags = np.zeros(subjects, dtype=np.uint8)
        flags[chance.choice(subjects, count, replace=False)] = 1
        rows = 48 * int(count)
        total = int(chance.integers(1, 1000, rows).sum())
        cells.append(Cell(key, (rows, total, total / rows), (rows,) * 3, rows, np.packbits(flags).tobytes()))
    return counts, cells


def protected(cells: list[Cell]) -> Release:
    return release(cells, MEASURES, protection=Protection(MINIMUM, totals=True), arrange=lambda rows: rows)


def timed(cells: list[Cell], rounds: int) -> tuple[list[float], list[float], Release]:
    wall, cpu = [], []
    for _ in range(rounds):
        began, began_cpu = time.perf_counter(), time.process_time()
        out = protected(cells)
        wall.append(time.perf_counter() - began)
        cpu.append(time.process_time() - began_cpu)
    return wall, cpu, out


def in_lines_of_small(counts: np.ndarray) -> np.ndarray:
    """The cells that the rule of lines withholds."""
    small = counts < MINIMUM
    return np.any([small.any(axis=axis, keepdims=True) & np.ones_like(small) for axis in range(small.ndim)], axis=0)


if __name__ == "__main__":
    main()
