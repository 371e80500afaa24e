"""The vault of the cash service: its statements."""

from sanpo.ground.queries import load_queries

SQL = load_queries(__package__)
DUTY = "cash"
