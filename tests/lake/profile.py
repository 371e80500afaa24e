"""The rules of the published profile of data packages (Data Package 2.0, datapackage.org/profiles/2.0), as JSON Schema.

Written from the standard's text: the parts that an export of datasets can touch. What is not a property of the profile is
allowed by it, as the standard says of extensions.
"""

from typing import Any

_PATH = r"^((?=[^./~])(?!file:)((?!\/\.\.\/)(?!\\)(?!:\/\/).)*|(http|ftp)s?:\/\/.*)$"
_TEXT = {"type": "string"}
_LICENSE = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "pattern": r"^([-a-zA-Z0-9._])+$"},
        "path": {"type": "string", "pattern": _PATH},
        "title": _TEXT,
    },
    "anyOf": [{"required": ["name"]}, {"required": ["path"]}],
}
_SOURCE = {
    "type": "object",
    "properties": {"title": _TEXT, "path": {"type": "string", "pattern": _PATH}, "email": {"format": "email"}},
    "minProperties": 1,
}
_TYPES = [
    "string", "number", "integer", "date", "time", "datetime", "year", "yearmonth", "boolean", "object", "geopoint",
    "geojson", "array", "list", "duration", "any",
]  # fmt: skip
_FIELD = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": _TEXT,
        "type": {"enum": _TYPES},
        "format": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "constraints": {
            "type": "object",
            "properties": {
                "required": {"type": "boolean"},
                "unique": {"type": "boolean"},
                "enum": {"type": "array", "minItems": 1, "uniqueItems": True},
            },
        },
    },
}
_SCHEMA = {
    "type": "object",
    "required": ["fields"],
    "properties": {
        "fields": {"type": "array", "minItems": 1, "items": _FIELD},
        "uniqueKeys": {
            "type": "array",
            "minItems": 1,
            "items": {"type": "array", "minItems": 1, "items": _TEXT, "uniqueItems": True},
        },
    },
}
_RESOURCE = {
    "type": "object",
    "required": ["name", "path"],
    "not": {"required": ["data"]},
    "properties": {
        "name": _TEXT,
        "type": {"enum": ["table"]},
        "path": {"type": "string", "pattern": _PATH},
        "title": _TEXT,
        "description": _TEXT,
        "format": _TEXT,
        "mediatype": {"type": "string", "pattern": r"^(.+)/(.+)$"},
        "bytes": {"type": "integer"},
        "hash": {"type": "string", "pattern": r"^([^:]+:[a-fA-F0-9]+|[a-fA-F0-9]{32}|)$"},
        "licenses": {"type": "array", "minItems": 1, "items": _LICENSE},
        "sources": {"type": "array", "items": _SOURCE},
        "schema": _SCHEMA,
    },
}
DATA_PACKAGE: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "required": ["resources"],
    "properties": {
        "$schema": {"const": "https://datapackage.org/profiles/2.0/datapackage.json"},
        "name": _TEXT,
        "title": _TEXT,
        "description": _TEXT,
        "created": {"type": "string", "format": "date-time"},
        "contributors": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {"title": _TEXT, "roles": {"type": "array", "minItems": 1, "items": _TEXT}},
                "minProperties": 1,
            },
        },
        "resources": {"type": "array", "minItems": 1, "items": _RESOURCE},
    },
}
