"""The journal's one duty: the sequencer, twice a second, so that no entry waits a second for its place in the tree."""

from sanpo.ground.jobs import Registry
from sanpo.journal.sequencer import sequence_all


def jobs(registry: Registry) -> None:
    registry.every(0.5, "journal.sequence", sequence_all)
