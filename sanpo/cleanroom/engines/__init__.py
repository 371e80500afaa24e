"""Engines: each takes a plan and gives its cells. DuckDB answers the city; the reference is naive and checks it."""
