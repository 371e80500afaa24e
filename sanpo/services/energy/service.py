"""The energy service as the city loads it."""

from sanpo.ground.plugins import Service

service = Service("energy", "sanpo.services.energy")
