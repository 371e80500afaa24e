"""The doors by which measurements come in other forms than NGSI-LD: MQTT topics, CSV and JSON lines, by a mapping file.

Invariants
* A message is acknowledged, and a line counted as done, in or after the transaction that stores it: who is killed goes on
  where it was, and nothing is stored twice from a file.
* What cannot be used is kept with the reason and how often, and stops nothing (MQTT), or is named line by line (files).

Tables: `broker.refused_messages`, `broker.imports`.
"""
