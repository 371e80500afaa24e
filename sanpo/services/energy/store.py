"""The vault of the energy service: its statements."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
