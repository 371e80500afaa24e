"""Weather stations and river gauges of the virtual city: public entities in the terms of the Smart Data Models."""

from datetime import datetime, timedelta
from typing import Any

import numpy as np

from sanpo.broker import Observation, Place, create_entities, observe
from sanpo.ground.actors import System
from sanpo.ground.city import City
from sanpo.simulator.load import temperature_c
from sanpo.simulator.population import AREAS

HOURS = 48
CENTRE = (139.930, 37.494)
_NAMES = "https://smartdatamodels.org/dataModel"
WEATHER, GAUGE = f"{_NAMES}.Weather/WeatherObserved", f"{_NAMES}.Environment/WaterObserved"
_LOCATION = "https://uri.etsi.org/ngsi-ld/location"
_NAME = "https://smartdatamodels.org/name"
_TEMPERATURE, _HUMIDITY = f"{_NAMES}.Weather/temperature", f"{_NAMES}.Weather/relativeHumidity"
_HEIGHT = f"{_NAMES}.Environment/height"
_BRIDGES = ("湯川橋", "川東橋", "大川橋")


def set_up_stations(city: City, rng: np.random.Generator) -> None:
    """A station in each area and a gauge at each bridge, with two days of hourly observations until now."""
    place = Place(city, System("simulator"))
    now = place.now()
    stations = [(f"urn:ngsi-ld:WeatherObserved:{n}", WEATHER, name) for n, name in enumerate(AREAS, 1)]
    gauges = [(f"urn:ngsi-ld:WaterObserved:{n}", GAUGE, name) for n, name in enumerate(_BRIDGES, 1)]
    create_entities(place, [_entity(*each, now, rng) for each in (*stations, *gauges)])
    last = city.now().replace(minute=0, second=0, microsecond=0)
    first = last - timedelta(hours=HOURS - 1)
    course = temperature_c(HOURS // 24, first, rng)
    course = course[:: max(1, len(course) // HOURS)][:HOURS]
    found: list[Observation] = []
    for entity_id, _, _ in stations:
        offset = rng.normal(0, 0.7)
        for hour, degrees in enumerate(course):
            at = _time(first + timedelta(hours=hour))
            found.append(Observation(entity_id, _TEMPERATURE, round(float(degrees + offset), 1), at, "CEL"))
            humidity = round(float(np.clip(75 - 1.5 * degrees + rng.normal(0, 3), 20, 100)), 0)
            found.append(Observation(entity_id, _HUMIDITY, humidity, at, "P1"))
    for entity_id, _, _ in gauges:
        level = 0.8 + np.cumsum(rng.normal(0, 0.02, HOURS))
        for hour, metres in enumerate(level):
            height = round(float(max(metres, 0.1)), 2)
            found.append(Observation(entity_id, _HEIGHT, height, _time(first + timedelta(hours=hour)), "MTR"))
    observe(place, found)


def _entity(entity_id: str, kind: str, name: str, now: str, rng: np.random.Generator) -> Any:
    longitude, latitude = (round(float(at + rng.normal(0, 0.012)), 5) for at in CENTRE)
    times = {"createdAt": now, "modifiedAt": now}
    point = {"type": "Point", "coordinates": [longitude, latitude]}
    attrs = {
        _NAME: [{"type": "Property", "value": name, **times}],
        _LOCATION: [{"type": "GeoProperty", "value": point, **times}],
    }
    return {"id": entity_id, "type": [kind], **times, "attrs": attrs}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
