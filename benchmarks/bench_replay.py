"""How many lines of a shop's invoices can be played as payments in a second, durable, exactly once, down to the lake?

The file is given, or made here in the shape of UCI's *Online Retail* (26 lines an invoice, returns among them).
"""

import argparse
import random
import tempfile
import time
from pathlib import Path

from harness import fresh_city, report

from sanpo.ground.actors import System
from sanpo.services.cash.replay.playing import replay


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--file", type=Path)
    options.add_argument("--lines", type=int, default=100_000)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, fresh_city(mode="test") as city:
        path = given.file or _made(Path(folder) / "invoices.csv", given.lines)
        began = time.perf_counter()
        found = replay(city, System("operator"), path)
        took = time.perf_counter() - began
    figures = {
        "lines_per_s": found.lines_per_s,
        "lines_per_s_to_lake": round(found.lines / took),
        "payments": found.payments,
        "refunds": found.refunds,
        "lake_rows": found.lake_rows,
        "difference_yen": found.debits_yen - found.credits_yen,
    }
    report("replay", {"lines": found.lines, "made": given.file is None}, figures)


def _made(path: Path, lines: int) -> Path:
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        file.write("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n")
        invoice, left, customer, is_return = 500_000, 0, 0, False
        for _ in range(lines):
            if not left:
                invoice, left, customer = invoice + 1, chance.randint(1, 51), chance.randrange(12_000, 16_400)
                is_return = chance.random() < 0.15
            left -= 1
            code, price = chance.randrange(10_000, 14_000), chance.randrange(10, 2_000) / 100
            quantity = chance.randint(1, 24) * (-1 if is_return else 1)
            who = f"{customer}.0" if customer % 5 else ""
            file.write(
                f"{'C' if is_return else ''}{invoice},{code},ITEM {code},{quantity},,{price},{who},United Kingdom\n"
            )
    return path


if __name__ == "__main__":
    main()
