"""The erasure of one resident from the picture of the city, as a part of their erasure from the lake.

Invariants:
* It comes before the lake's own, in one transaction with its count, while no row moves into the lake.
* What was about them alone is deleted with its history. What is about others too stays as theirs, and names them no more.
* Nothing is told of it: changes and notifications that name them are deleted, sent or not.
"""
