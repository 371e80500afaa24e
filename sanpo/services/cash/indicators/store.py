"""The vault of the indicators: its statements."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
