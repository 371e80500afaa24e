"""The virtual city: people, homes, weather and load, all from one seed; it acts through the same actions as everybody.

Nothing imports it but the command line.
"""
