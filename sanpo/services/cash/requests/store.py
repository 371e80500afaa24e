"""The vault of the requests: their statements."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
