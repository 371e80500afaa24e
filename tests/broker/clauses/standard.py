"""The clauses of ETSI GS CIM 009 V1.9.1 that say how a broker behaves: those on which tests can be told apart.

Each is told in words of our own. Left out are introductions, the tables of data types that another clause uses whole, and
the optional snapshots.
"""

import re

CLAUSES = {
    "4.2": "information model: what a Property and a Relationship must have",
    "4.3.6": "distributed operations: inclusive, exclusive, redirect and auxiliary registrations",
    "4.4": "Core @context and the user's",
    "4.5.1": "Entity",
    "4.5.2": "Property",
    "4.5.3": "Relationship",
    "4.5.4": "simplified representation",
    "4.5.5": "several instances of an attribute: datasetId",
    "4.5.6": "temporal evolution of an Entity",
    "4.5.7": "temporal evolution of a Property",
    "4.5.8": "temporal evolution of a Relationship",
    "4.5.9": "simplified temporal representation",
    "4.5.16": "GeoJSON",
    "4.5.17": "simplified GeoJSON",
    "4.5.18": "LanguageProperty",
    "4.5.19": "aggregated temporal representation",
    "4.5.20": "VocabProperty",
    "4.5.21": "ListProperty",
    "4.5.22": "ListRelationship",
    "4.5.23": "linked entities, inline and flat",
    "4.5.24": "JsonProperty",
    "4.6.1": "text is UTF-8",
    "4.6.2": "names",
    "4.6.3": "types of values",
    "4.6.4": "content is kept as it is",
    "4.6.5": "languageMap",
    "4.6.6": "the same entity several times in one array",
    "4.7": "geospatial properties",
    "4.8": "temporal properties",
    "4.9": "query language `q`",
    "4.10": "geo-query language",
    "4.11": "temporal query language",
    "4.12": "pages",
    "4.13": "counts",
    "4.14": "tenants",
    "4.15": "natural languages: `lang`",
    "4.16": "several entity types",
    "4.17": "selection by entity types",
    "4.18": "scopes",
    "4.19": "scope queries",
    "4.20": "names of distributed operations",
    "4.21": "which attributes: `pick` and `omit`",
    "4.22": "what expires: expiresAt",
    "4.23": "order of entities",
    "5.2": "data types",
    "5.3": "data types of notifications",
    "5.4": "NGSI-LD fragments",
    "5.5.2": "errors",
    "5.5.3": "bodies of errors",
    "5.5.4": "validation of what comes in",
    "5.5.5": "@context where none is given",
    "5.5.6": "@context that cannot be had or read",
    "5.5.7": "expansion and compaction of terms",
    "5.5.8": "partial update",
    "5.5.9": "pages",
    "5.5.10": "tenants",
    "5.5.11": "the same entity several times in a batch",
    "5.5.12": "merge",
    "5.5.13": "local operations",
    "5.5.14": "EntityMaps of a query in pages",
    "5.6.1": "Create Entity",
    "5.6.2": "Update Attributes",
    "5.6.3": "Append Attributes",
    "5.6.4": "Partial Attribute Update",
    "5.6.5": "Delete Attribute",
    "5.6.6": "Delete Entity",
    "5.6.7": "Batch Entity Creation",
    "5.6.8": "Batch Entity Creation or Update",
    "5.6.9": "Batch Entity Update",
    "5.6.10": "Batch Entity Delete",
    "5.6.11": "Create or Update Temporal Representation",
    "5.6.12": "Add Attributes to Temporal Representation",
    "5.6.13": "Delete Attribute from Temporal Representation",
    "5.6.14": "Modify Attribute Instance in Temporal Representation",
    "5.6.15": "Delete Attribute Instance from Temporal Representation",
    "5.6.16": "Delete Temporal Representation",
    "5.6.17": "Merge Entity",
    "5.6.18": "Replace Entity",
    "5.6.19": "Replace Attribute",
    "5.6.20": "Batch Entity Merge",
    "5.6.21": "Purge Entities",
    "5.7.1": "Retrieve Entity",
    "5.7.2": "Query Entities",
    "5.7.3": "Retrieve Temporal Evolution",
    "5.7.4": "Query Temporal Evolution",
    "5.7.5": "Retrieve Available Entity Types",
    "5.7.6": "Retrieve Details of Available Entity Types",
    "5.7.7": "Retrieve Available Entity Type Information",
    "5.7.8": "Retrieve Available Attributes",
    "5.7.9": "Retrieve Details of Available Attributes",
    "5.7.10": "Retrieve Available Attribute Information",
    "5.7.11": "where discovery looks",
    "5.8.1": "Create Subscription",
    "5.8.2": "Update Subscription",
    "5.8.3": "Retrieve Subscription",
    "5.8.4": "Query Subscriptions",
    "5.8.5": "Delete Subscription",
    "5.8.6": "notifications",
    "5.9.2": "Register Context Source",
    "5.9.3": "Update Context Source Registration",
    "5.9.4": "Delete Context Source Registration",
    "5.10.1": "Retrieve Context Source Registration",
    "5.10.2": "Query Context Source Registrations",
    "5.11.2": "Create Context Source Registration Subscription",
    "5.11.3": "Update Context Source Registration Subscription",
    "5.11.4": "Retrieve Context Source Registration Subscription",
    "5.11.5": "Query Context Source Registration Subscriptions",
    "5.11.6": "Delete Context Source Registration Subscription",
    "5.11.7": "notifications of registrations",
    "5.12": "which registrations match a request",
    "5.13.1": "@contexts that are hosted, cached or implicit",
    "5.13.2": "Add @context",
    "5.13.3": "List @contexts",
    "5.13.4": "Serve @context",
    "5.13.5": "Delete and Reload @context",
    "5.14.1": "Retrieve EntityMap",
    "5.14.2": "Update EntityMap",
    "5.14.3": "Delete EntityMap",
    "5.14.4": "Create EntityMap for Query Entities",
    "5.14.5": "Create EntityMap for Query Temporal Evolution",
    "5.15.1": "Retrieve Context Source Identity Information",
    "6.3.2": "statuses and ProblemDetails",
    "6.3.4": "length and media types of requests, Accept",
    "6.3.5": "where the @context of a request is",
    "6.3.6": "headers and bodies of answers",
    "6.3.7": "representations: `options` and `format`",
    "6.3.8": "notifications",
    "6.3.9": "notifications of registrations",
    "6.3.10": "pages: `limit`, `offset` and links",
    "6.3.11": "times of the system: `sysAttrs`",
    "6.3.12": "simplified and aggregated histories",
    "6.3.13": "counts: `count`",
    "6.3.14": "header NGSILD-Tenant",
    "6.3.15": "GeoJSON",
    "6.3.16": "expiration of cached @contexts",
    "6.3.17": "headers of distributed operations",
    "6.3.18": "limits of distributed operations: `local`, `via`, header Via",
    "6.3.19": "headers that sources want",
    "6.3.20": "parameters that are not known",
    "7.2": "notifications by MQTT",
}
NAMED = re.compile(r'(?:§|""")(\d+(?:\.\d+)*)(?: to §(\d+(?:\.\d+)*))?')
"""With its sign, or as the first word of a docstring; alone, or as the ends of a row."""


def clause_of(number: str) -> str | None:
    """The listed clause that a clause belongs to: itself, or the nearest above it."""
    if not number[0].isdigit():
        return None
    parts = number.split(".")
    above = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((each for each in above if each in CLAUSES), None)


def named_in(text: str) -> list[str]:
    """The clauses that a text names, alone or as a row (`§5.6.2 to §5.6.6`)."""
    found = set()
    for first, last in NAMED.findall(text):
        found |= {clause for clause in (clause_of(first), clause_of(last or first)) if clause}
        if last:
            found |= {each for each in CLAUSES if order(first) <= order(each) <= order(last)}
    return sorted(found, key=order)


def order(number: str) -> list[int]:
    return [int(part) for part in number.split(".")]
