"""History in two places: recent observations in PostgreSQL, older ones in the lake, and one answer from both.

Invariants:
* An observation is in one place. A move that broke off is finished or done again, and until then counts as not begun.
* Whoever reads, reads one state of both: where a move ended meanwhile, the reading begins again.
* What is asked of rows from the lake is asked by the same statements, and shown by the same sight, as of rows here.
"""
