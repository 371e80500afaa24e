"""The vault's door for contexts."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
