"""The broker: the living picture of the city as NGSI-LD entities (ETSI GS CIM 009), which knows consent.

Purpose: programs write what is now (meters, buses, sensors) and read it by the standard's own API under `/ngsi-ld/v1`.

Invariants
* An entity is stored in one canonical form with expanded names; contexts act at the edges only.
* A change, its outbox row and its history commit together or not at all.
* What an actor can see is decided by `sight.sight_of` alone; a personal entity that is not in sight does not exist.

Tables: `broker.tenants`, `broker.entities`, `broker.departed`, `broker.changes`, `broker.attributes`,
`broker.observations`. Row-level security holds on all that can be personal.
"""

from sanpo.broker.batches import create_entities
from sanpo.broker.entities import Place
from sanpo.broker.temporal.ingest import Observation
from sanpo.broker.temporal.ingest import ingest as observe

__all__ = ["Observation", "Place", "create_entities", "observe"]
