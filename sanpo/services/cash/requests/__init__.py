"""Requests: a resident asks another for money, or splits a payment, by a code handed over; there is no list of names."""
