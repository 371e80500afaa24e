"""The licences under which open data is published: SPDX identifiers with their title and address. Pure.

A licence that has no SPDX identifier, such as Japan's Public Data License, is given by its https address.
"""

from urllib.parse import urlsplit

_CREATIVE_COMMONS = "https://creativecommons.org"
_KNOWN: dict[str, tuple[str, str]] = {
    "CC0-1.0": ("CC0 1.0", f"{_CREATIVE_COMMONS}/publicdomain/zero/1.0/"),
    "CC-BY-4.0": ("CC BY 4.0", f"{_CREATIVE_COMMONS}/licenses/by/4.0/"),
    "CC-BY-3.0": ("CC BY 3.0", f"{_CREATIVE_COMMONS}/licenses/by/3.0/"),
    "CC-BY-2.1-JP": ("CC BY 2.1 JP", f"{_CREATIVE_COMMONS}/licenses/by/2.1/jp/"),
    "CC-BY-SA-4.0": ("CC BY-SA 4.0", f"{_CREATIVE_COMMONS}/licenses/by-sa/4.0/"),
    "CC-BY-SA-3.0": ("CC BY-SA 3.0", f"{_CREATIVE_COMMONS}/licenses/by-sa/3.0/"),
    "ODbL-1.0": ("ODbL 1.0", "https://opendatacommons.org/licenses/odbl/1-0/"),
    "ODC-By-1.0": ("ODC-By 1.0", "https://opendatacommons.org/licenses/by/1-0/"),
    "PDDL-1.0": ("PDDL 1.0", "https://opendatacommons.org/licenses/pddl/1-0/"),
    "OGL-UK-3.0": ("OGL UK 3.0", "https://www.nationalarchives.gov.uk/doc/open-government-licence/version/3/"),
    "DL-DE-BY-2.0": ("dl-de/by-2-0", "https://www.govdata.de/dl-de/by-2-0"),
    "etalab-2.0": ("Licence Ouverte 2.0", "https://spdx.org/licenses/etalab-2.0.html"),
}
KNOWN_LICENCES = tuple(_KNOWN)
PUBLIC_DATA_LICENSE = "https://www.digital.go.jp/resources/open_data/public_data_license_v1.0"
"""Japan's Public Data License 1.0, which has no SPDX identifier."""


def is_licence(licence: str) -> bool:
    """Whether this is a known SPDX identifier or the https address of a licence."""
    parts = urlsplit(licence)
    return licence in _KNOWN or (parts.scheme == "https" and bool(parts.netloc))


def is_spdx(licence: str) -> bool:
    return licence in _KNOWN


def licence_title(licence: str) -> str:
    """How people call it: `CC BY 4.0`; the address where it has no known name."""
    if licence == PUBLIC_DATA_LICENSE:
        return "Public Data License 1.0"
    return _KNOWN[licence][0] if licence in _KNOWN else licence


def licence_url(licence: str) -> str:
    """Where its text is."""
    return _KNOWN[licence][1] if licence in _KNOWN else licence
