"""Receivers' addresses and headers hold passwords: what is stored of them is sealed with a key of the city's (§5.2.15).

Who reads the database, or a copy of it, has no use of them. What was stored before this stands as it is until it is changed.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sanpo.broker.ngsi_v2.subscribing import ENDPOINTS
from sanpo.broker.store import decode, encode
from sanpo.ground.keys import Keys

LABEL = "broker receivers"


def sealed(keys: Keys, doc: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a subscription as it is stored."""
    return _changed(doc, lambda endpoint: keys.seal(LABEL, encode(endpoint)))


def opened(keys: Keys, doc: Mapping[str, Any], address: str) -> dict[str, Any]:
    """The document as it was given. Of what another secret of the city has sealed the bare address is left, so that
    the receiver's refusal tells the owner to say it again."""

    def open_one(endpoint: Any) -> Any:
        if not isinstance(endpoint, str):
            return endpoint
        found = keys.unseal(LABEL, endpoint)
        return {"uri": address, "url": address} if found is None else decode(found)

    return _changed(doc, open_one)


def _changed(doc: Mapping[str, Any], change: Callable[[Any], Any]) -> dict[str, Any]:
    endpoint = change(doc["notification"]["endpoint"])
    found = {**doc, "notification": {**doc["notification"], "endpoint": endpoint}}
    if "v2" in doc:
        told = doc["v2"]["notification"]
        told = {name: change(each) if name in ENDPOINTS else each for name, each in told.items()}
        found["v2"] = {**doc["v2"], "notification": told}
    return found
