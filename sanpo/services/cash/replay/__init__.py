"""Invoices of a shop, played again as payments and refunds of the city's cash: load for trying out, not for a city's use."""
