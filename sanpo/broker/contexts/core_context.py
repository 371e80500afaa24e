"""The Core @context (ETSI GS CIM 009 §4.4, annex B) as a table of our own, and the document that is made from it.

It is implicitly present in every request, always as if it came last, and nobody can override a term of it. The newest
version (1.9) holds the terms of all earlier ones, so that each published URL stands for this one table.
"""

from typing import Any

NGSI_LD = "https://uri.etsi.org/ngsi-ld/"
GEOJSON = "https://purl.org/geojson/vocab#"
DEFAULT_VOCABULARY = NGSI_LD + "default-context/"
VERSION = "1.9"
_PUBLISHED = NGSI_LD + "v1/ngsi-ld-core-context"
CORE_CONTEXT_URL = f"{_PUBLISHED}-v{VERSION}.jsonld"
CORE_URLS = frozenset([f"{_PUBLISHED}.jsonld", *(f"{_PUBLISHED}-v1.{minor}.jsonld" for minor in range(1, 10))])
"""Every URL under which ETSI has published the Core @context, with https; `is_core` knows them with http as well."""

# Terms by shape. A plain one maps to its own name in the namespace of NGSI-LD.
_PLAIN = """
    Attribute AttributeList ContextSourceIdentity ContextSourceNotification ContextSourceRegistration Date DateTime
    EntityMap EntityType EntityTypeInfo EntityTypeList ExecutionResultDetails GeoProperty JsonProperty LanguageProperty
    ListProperty ListRelationship Notification Property Relationship Snapshot SnapshotNotification Subscription
    TemporalProperty Time VocabProperty accept aggrMethods aggrParams aggrPeriodDuration attributeCount attributeDetails
    attrs cacheDuration collation contextSourceAlias contextSourceInfo contextSourceUptime cooldown csf data detail
    endpoint entities entity entityCount error errors expandValues format geoQ geoproperty georel idPattern information
    isActive join jsonKeys jsonldContext lang lastN linkedMaps localOnly location management managementInterval mode
    ngsildConformance notUpdated notification notificationTrigger notifierInfo observationInterval observationSpace omit
    operationSpace operations ordering pick q reason receiverInfo refreshRate registrationId registrationName
    resultStatus scope scopeQ showChanges snapshotId snapshotLifetime snapshotPriority snapshotStatus status
    subscriptionName sysAttrs temporalQ throttling timeInterval timeout timeproperty timerel timesFailed timesSent
    triggerReason unchanged unitCode updated uri
"""
_MOMENTS = """
    contextSourceTimeAt createdAt deletedAt endAt endTimeAt expiresAt lastFailure lastNotification lastSuccess
    lastUsedAt modifiedAt notifiedAt observedAt startAt timeAt
"""
_IDENTIFIERS = "datasetId entityId instanceId subscriptionId success tenant"
_NAMES = """
    attributeList attributeName attributeNames attributeTypes attributes propertyNames relationshipNames typeList
    typeName typeNames watchedAttributes
"""
_LISTS = """
    avg distinctCount entityList jsons max min orderBy snapshotQueries snapshotQueriesDetails snapshotTemporalQueries
    snapshotTemporalQueriesDetails stddev sum sumsq totalCount
"""
_JSON = "contextSourceExtras problemDetails"
_GEOMETRIES = """
    Feature FeatureCollection GeometryCollection LineString MultiLineString MultiPoint MultiPolygon Point Polygon
    geometry properties
"""
# Terms that do not map to their own name, by shape.
_RENAMED = {
    "containedBy": "isContainedBy",
    "entityMapLifetime": "hasEntityMapLifetime",
    "joinLevel": "hasJoinLevel",
    "key": "hasKey",
    "previousValue": "hasPreviousValue",
    "splitEntities": "hasSplitEntities",
    "value": "hasValue",
}
_RENAMED_IDENTIFIERS = {"object": "hasObject", "previousObject": "hasPreviousObject"}
_RENAMED_NAMES = {
    "objectType": "hasObjectType",
    "previousVocab": "hasPreviousVocab",
    "valueType": "hasValueType",
    "vocab": "hasVocab",
}
_RENAMED_LISTS = {
    "languageMaps": "hasLanguageMaps",
    "objectList": "hasObjectList",
    "objectLists": "hasObjectLists",
    "objects": "hasObjects",
    "previousObjectList": "hasPreviousObjectList",
    "previousValueList": "hasPreviousValueList",
    "valueList": "hasValueList",
    "valueLists": "hasValueLists",
    "values": "hasValues",
    "vocabs": "hasVocabs",
}
_RENAMED_JSON = {"json": "hasJSON", "previousJson": "hasPreviousJson"}
_RENAMED_LANGUAGES = {"languageMap": "hasLanguageMap", "previousLanguageMap": "hasPreviousLanguageMap"}
_RENAMED_INDEXES = {"dataset": "hasDataset", "entityMap": "hasEntityMap"}


def _own(names: str, **shape: str) -> dict[str, Any]:
    return _named({name: name for name in names.split()}, **shape)


def _named(names: dict[str, str], prefix: str = "ngsi-ld", **shape: str) -> dict[str, Any]:
    keywords = {f"@{keyword}": value for keyword, value in shape.items()}
    return {
        term: {"@id": f"{prefix}:{name}", **keywords} if keywords else f"{prefix}:{name}"
        for term, name in names.items()
    }


def _terms() -> dict[str, Any]:
    return {
        "ngsi-ld": NGSI_LD,
        "geojson": GEOJSON,
        "id": "@id",
        "type": "@type",
        "description": "http://purl.org/dc/terms/description",
        "title": "http://purl.org/dc/terms/title",
        "langString": "http://www.w3.org/1999/02/22-rdf-syntax-ns#langString",
        **_own(_PLAIN),
        **_named(_RENAMED),
        **_own(_MOMENTS, type="DateTime"),
        **_own(_IDENTIFIERS, type="@id"),
        **_named(_RENAMED_IDENTIFIERS, type="@id"),
        **_own(_NAMES, type="@vocab"),
        **_named(_RENAMED_NAMES, type="@vocab"),
        **_own(_LISTS, container="@list"),
        **_named(_RENAMED_LISTS, container="@list"),
        **_own(_JSON, type="@json"),
        **_named(_RENAMED_JSON, type="@json"),
        **_named(_RENAMED_LANGUAGES, container="@language"),
        **_named(_RENAMED_INDEXES, container="@index"),
        **_named({name: name for name in _GEOMETRIES.split()}, "geojson"),
        **_named({"bbox": "bbox", "coordinates": "coordinates"}, "geojson", container="@list"),
        **_named({"features": "features"}, "geojson", container="@set"),
        "ngsildproof": {
            "@id": "ngsi-ld:ngsildproof",
            "@context": [
                {
                    "entityIdSealed": "ngsi-ld:entityIdSealed",
                    "entityTypeSealed": {"@id": "ngsi-ld:entityTypeSealed", "@type": "@vocab"},
                },
                "https://w3id.org/security/data-integrity/v2",
            ],
        },
    }


CORE_TERMS: dict[str, Any] = _terms()
"""Term → definition, as the document has them."""
CORE_DOCUMENT: dict[str, Any] = {
    "@context": {"@version": 1.1, "@protected": True, **CORE_TERMS, "@vocab": DEFAULT_VOCABULARY}
}
"""What a JSON-LD processor reads at `CORE_CONTEXT_URL`."""


def is_core(url: str) -> bool:
    """True for a published URL of the Core @context, whatever its version."""
    return url in CORE_URLS or (url.startswith("http://") and "https://" + url[7:] in CORE_URLS)
