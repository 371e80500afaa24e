"""Writes the reference page of settlements from the rates and the specification; a test compares it with what is there."""

from collections.abc import Callable, Iterator

from sanpo.services.cash.settling.model import terms
from tests.cleanroom.tables import rows_of, to_markdown
from tests.services.cash.settling import spec_fees

MADE = (
    "<!-- Made by tests/services/cash/settling/reference_pages.py from the manifest and spec_fees.py; `make docs`. -->"
)


def tables_of(text: str) -> list[tuple[str, list[dict[str, str]]]]:
    """The cases of a specification: each a title and its rows."""
    blocks = (block.splitlines() for block in text.strip().split("\n\n"))
    return [(title.removeprefix("# "), rows_of("\n".join(table))) for title, *table in blocks]


def settling_page() -> str:
    rates = [
        [
            "all others" if tier.last_year_below_yen is None else f"less than ¥{tier.last_year_below_yen:,}",
            f"{tier.rate_permille / 10:g} %",
            "" if tier.most_yen_a_year is None else f"¥{tier.most_yen_a_year:,}",
        ]
        for tier in terms().tiers
    ]
    parts = [
        MADE,
        "# Settlements and fees",
        f"Shops are settled at {terms().closing_hour}:00 on the city's clock, each by itself, once a day. A sale counts on "
        "the day on which it is settled: one after the closing hour is the next day's. The rates stand in the service's "
        "`manifest.toml`; fees include consumption tax.",
        to_markdown(["took in the calendar year before", "fee", "at most, in a calendar year"], rates),
        "The fee of a settlement is what the year costs now less what it has cost so far. What is brought forward and taken, "
        "less what was given back, the fee and the payout, is what is carried over: the shop's balance in the ledger.",
        "## Fees of a year",
        *_cases(spec_fees.FEES),
        "## Settlements",
        *_cases(spec_fees.DAYS),
    ]
    return "\n\n".join(parts) + "\n"


def _cases(text: str) -> Iterator[str]:
    for title, rows in tables_of(text):
        yield f"### {title}"
        yield to_markdown(list(rows[0]), [list(row.values()) for row in rows])


PAGES: dict[str, Callable[[], str]] = {"docs/reference/settling.md": settling_page}
