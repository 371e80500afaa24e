"""The clean room's vault: its SQL."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
