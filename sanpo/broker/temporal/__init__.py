"""Histories of entities: their evolution, its aggregates, what is added to and taken from it, and observations in bulk.

Invariants:
* A history belongs to an id: to all entities that bore it one after another, and to one that only a history is known of.
* What is told here changes no present value, but for `ingest`, which is the short way for observations of what is there now.
* `sight` decides row by row: whom an observation was about when it was made must grant it, not only whom it is about today.
* Aggregates are computed where the rows are, and equal what anybody would compute from the rows.
"""
