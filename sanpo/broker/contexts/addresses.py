"""Addresses of the contexts that the broker itself serves (ETSI GS CIM 009 §6.29, §6.30). Pure."""

import re
from urllib.parse import unquote, urlsplit

from sanpo.ground.ids import new_id

PATH = "/ngsi-ld/v1/jsonldContexts"
_PREFIX = "urn:ngsi-ld:Context:"
_OWN = re.compile(re.escape(PATH) + r"/(urn:ngsi-ld:Context:ctx_[0-9a-z]{26})")


def new_local_id() -> str:
    """A locally unique identifier, which is a URI (§5.13.2.4). It cannot be guessed."""
    return _PREFIX + new_id("ctx")


def path_of(local_id: str) -> str:
    """The relative path that a Location header gives (table 6.29.3.1-1)."""
    return f"{PATH}/{local_id}"


def own_id(url: str) -> str | None:
    """The local identifier in an address of ours, whatever name of the city's machine stands before it."""
    path = unquote(urlsplit(url).path)
    at = path.rfind(PATH)
    found = _OWN.fullmatch(path, at) if at >= 0 else None
    return found[1] if found else None
