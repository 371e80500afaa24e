"""The cash service as the city loads it."""

from sanpo.ground.plugins import Service

service = Service("cash", "sanpo.services.cash")
