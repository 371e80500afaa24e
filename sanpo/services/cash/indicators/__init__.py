"""Indicators of the region: what the town's cash does, from protected answers and the totals of the books."""
