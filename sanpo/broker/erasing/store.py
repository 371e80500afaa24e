"""The vault's door for erasures."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
