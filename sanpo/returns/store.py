"""The vault's door."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
