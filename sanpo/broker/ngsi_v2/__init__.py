"""NGSIv2 (`/v2`) on the same entities: the other face of the one store.

Invariants
* What is stored is the canonical form of NGSI-LD (`broker/model.py`), so that each face reads what the other wrote.
* NGSIv2 → canonical → NGSIv2 is the identity (`names`, `attributes`): what NGSI-LD has no word for is kept beside it.
* Nothing here decides what is in sight, writes the journal or tells a subscriber: the broker's actions do.
"""
