"""The vault of the slips: their statements."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
