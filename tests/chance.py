"""How often what is tried by chance is tried: little in the default suite, much in the long one, as `SANPO_LONG` says.

1 is what every submission passes (`make test-long`), 4 what a night has time for (`make test-long LONG=4`).
"""

import os

LONG = int(os.environ.get("SANPO_LONG") or 0)


def often(short: int, long: int) -> int:
    """`short` in the default suite, `long` at the longest."""
    return max(short, long * LONG // 4) if LONG else short
