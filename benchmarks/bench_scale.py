"""Does the time for each row grow with the city? The whole question at 1, 10 and 100 million rows and three sizes of city.

Each size is a lake of its own; the question is asked in a process of its own, with half of the residents opted in, so
that its peak of memory is the question's. `growth_by_rows`: CPU time for each row at the most rows over that at a tenth of
them, the worst of all sizes of city; `growth_by_subjects`: the same for the most residents over the fewest, at the most
rows. One or less means that it does not grow. `peak_mb`: the most memory of all. `--write` puts table and plot into
docs/reference.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import metered
from harness import ROOT, fresh_city, report

from sanpo import app
from sanpo.cleanroom import ask
from sanpo.ground.actors import System
from sanpo.ground.config import Settings

ROWS = (1_000_000, 10_000_000, 100_000_000)
SUBJECTS = (12_000, 120_000, 1_200_000)
PAGE = ROOT / "docs" / "reference" / "benchmarks.md"
PLOT = ROOT / "docs" / "reference" / "scale.svg"
BEGIN, END = "<!-- scale: made by bench_scale.py --write -->", "<!-- scale: end -->"


@dataclass(frozen=True)
class Size:
    """One lake and what a question over it took: medians, and the most memory (resident set) of the asking process."""

    rows: int
    subjects: int
    wall_s: float
    cpu_s: float
    peak_mb: float

    @property
    def cpu_ns_per_row(self) -> float:
        return self.cpu_s / self.rows * 1e9


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--rows", type=int, nargs="+", default=list(ROWS))
    options.add_argument("--subjects", type=int, nargs="+", default=list(SUBJECTS))
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--write", action="store_true", help="put table and plot into docs/reference")
    given = options.parse_args()
    sizes = [measured(rows, subjects, given.rounds) for rows in given.rows for subjects in given.subjects]
    if given.write:
        write(sizes)
    figures = {**growth(sizes), "peak_mb": max(size.peak_mb for size in sizes)}
    for size in sizes:
        figures[f"cpu_ns_per_row_{size.rows}_{size.subjects}"] = size.cpu_ns_per_row
    setting = {"rows": given.rows, "subjects": given.subjects, "share": 0.5, "threads": Settings().question_threads}
    report("scale", setting, figures)


def growth(sizes: list[Size]) -> dict[str, float]:
    """How the time for each row grows; empty where there is nothing to compare."""
    most = max(size.rows for size in sizes)
    largest = sorted((size for size in sizes if size.rows > most / 2), key=lambda size: size.subjects)
    pairs = [
        size.cpu_ns_per_row / other.cpu_ns_per_row
        for size in largest
        for other in sizes
        if other.subjects == size.subjects and most / 20 < other.rows < most / 5
    ]
    found = {"growth_by_rows": max(pairs)} if pairs else {}
    if len(largest) > 1:
        found["growth_by_subjects"] = largest[-1].cpu_ns_per_row / largest[0].cpu_ns_per_row
    return found


def measured(rows: int, subjects: int, rounds: int) -> Size:
    """Fills a lake of about so many rows (at least one for each subject) and asks in a process of its own."""
    with fresh_city() as city:
        there = metered.fill_lake(city, subjects, max(rows // subjects, 1))
        agreement = metered.published(city)
        metered.grant_share(city, agreement, subjects, 0.5)
        processes = multiprocessing.get_context("spawn")
        ours, theirs = processes.Pipe()
        asker = processes.Process(target=_ask, args=(city.settings, agreement.agreement_id, rounds, theirs))
        asker.start()
        wall_s, cpu_s, peak_mb = ours.recv()
        asker.join()
    sys.stderr.write(f"{there:>12,} rows {subjects:>10,} subjects: {cpu_s:.2f} s CPU, {peak_mb:,.0f} MB\n")
    return Size(there, subjects, wall_s, cpu_s, peak_mb)


def _ask(settings: Settings, agreement_id: str, rounds: int, out: Connection) -> None:
    city = app.open_city(settings, pool=2)
    wall, cpu = [], []
    for _ in range(rounds + 1):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF)
        ask(city, System("operator"), agreement_id, metered.QUESTION)
        after = resource.getrusage(resource.RUSAGE_SELF)
        wall.append(time.perf_counter() - began)
        cpu.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    city.db.close()
    out.send((statistics.median(wall[1:]), statistics.median(cpu[1:]), peak_mb()))  # the first round warms up


def peak_mb() -> float:
    """The most memory of this process so far. `ru_maxrss` would be the parent's where that had more."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def write(sizes: list[Size]) -> None:
    """Puts the table between the page's marks, and the plot beside the page."""
    lines = [
        "| rows | subjects | wall | CPU | CPU for each row | peak of memory |",
        "|---:|---:|---:|---:|---:|---:|",
        *(
            f"| {size.rows:,} | {size.subjects:,} | {size.wall_s:.2f} s | {size.cpu_s:.2f} s"
            f" | {size.cpu_ns_per_row:.1f} ns | {size.peak_mb:,.0f} MB |"
            for size in sizes
        ),
    ]
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    table = "\n".join(lines)
    PAGE.write_text(
        f"{before}{BEGIN}\n{table}\n\n![CPU time for each row]({PLOT.name})\n{END}{after}", encoding="utf-8"
    )
    PLOT.write_text(plot(sizes), encoding="utf-8")
    Path(ROOT / ".cache" / "scale.json").write_text(json.dumps([asdict(size) for size in sizes]), encoding="utf-8")


WIDTH, HEIGHT, LEFT, TOP, FOOT = 640, 360, 64, 48, 56
COLOURS = ("#0031d8", "#c74700", "#197a4b")


def plot(sizes: list[Size]) -> str:
    """An SVG: nanoseconds of CPU for each row over the number of rows, one line for each size of city."""
    rows = sorted({round(size.rows, -6) or size.rows for size in sizes})
    most = max(size.cpu_ns_per_row for size in sizes) * 1.1
    subjects = sorted({size.subjects for size in sizes})

    def at(size: Size) -> tuple[float, float]:
        column = min(range(len(rows)), key=lambda n: abs(rows[n] - size.rows))
        x = LEFT + 40 + column * (WIDTH - LEFT - 100) / max(len(rows) - 1, 1)
        return x, HEIGHT - FOOT - size.cpu_ns_per_row / most * (HEIGHT - TOP - FOOT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13"'
        ' role="img" aria-label="CPU time for each row, by rows and size of city">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<path d="M{LEFT} {TOP}V{HEIGHT - FOOT}H{WIDTH - 20}" fill="none" stroke="#666"/>',
        f'<text x="{LEFT}" y="{TOP - 26}">ns of CPU for each row</text>',
        f'<text x="{WIDTH - 20}" y="{HEIGHT - 12}" text-anchor="end">rows</text>',
    ]
    for tick in range(5):
        y = HEIGHT - FOOT - tick / 4 * (HEIGHT - TOP - FOOT)
        parts.append(f'<text x="{LEFT - 6}" y="{y + 4:.0f}" text-anchor="end">{most * tick / 4:.0f}</text>')
        parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - 20}" stroke="#ddd"/>')
    for colour, each in zip(COLOURS, subjects, strict=False):
        line = sorted((size for size in sizes if size.subjects == each), key=lambda size: size.rows)
        points = [at(size) for size in line]
        parts.append(
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
            + '"/>'
        )
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>' for x, y in points]
        legend = TOP - 8 + subjects.index(each) * 18
        parts.append(f'<rect x="{WIDTH - 190}" y="{legend - 9}" width="12" height="4" fill="{colour}"/>')
        parts.append(f'<text x="{WIDTH - 172}" y="{legend}">{each:,} residents</text>')
    for column, each in enumerate(rows):
        x = LEFT + 40 + column * (WIDTH - LEFT - 100) / max(len(rows) - 1, 1)
        parts.append(f'<text x="{x:.0f}" y="{HEIGHT - FOOT + 20}" text-anchor="middle">{each:,}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    main()
