"""Consent records and receipts, pure: ISO/IEC TS 27560 as DPV JSON-LD, and the Kantara Consent Receipt 1.1 export.

The record is signed with the city's Ed25519 key over its canonical JSON (RFC 8785). It names the resident by the
pseudonym of this recipient only, so that two receipts of different recipients cannot be joined.
"""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sanpo.consent.model import PublishedAgreement
from sanpo.consent.states import State
from sanpo.consent.vocabulary import DPV
from sanpo.ground.canonical import canonical_json

PROFILE = "https://w3id.org/dpv/guides/consent-27560"


@dataclass(frozen=True)
class GrantEvent:
    """What happened, to be written into a record."""

    event_id: str
    state: State
    at: datetime
    expires_at: datetime | None
    pseudonym: str
    acted_as: str
    representative: str | None
    language: str


def build_record(event: GrantEvent, agreement: PublishedAgreement, jurisdiction: str) -> dict[str, Any]:
    """The record of one event (ISO/IEC TS 27560 §6: header, processing, party, event) as DPV JSON-LD."""
    draft, recipient = agreement.draft, agreement.document.recipient
    return {
        "@context": {"dpv": DPV, "dct": "http://purl.org/dc/terms/", "xsd": "http://www.w3.org/2001/XMLSchema#"},
        "@type": "dpv:ConsentRecord",
        "@id": f"urn:sanpo:{event.event_id}",
        "dct:conformsTo": PROFILE,
        "dct:identifier": event.event_id,
        "dpv:hasJurisdiction": jurisdiction,
        "dpv:hasDataSubject": {"@id": f"urn:sanpo:subject:{event.pseudonym}", "@type": "dpv:DataSubject"},
        "dpv:hasNotice": {
            "@id": f"urn:sanpo:{agreement.agreement_id}",
            "@type": "dpv:ConsentNotice",
            "dct:identifier": agreement.agreement_id,
            "dct:language": event.language,
            "sha256": agreement.sha256,
        },
        "dpv:hasProcess": [_process(agreement)],
        "dpv:hasDataController": {
            "@id": f"urn:sanpo:{recipient.organisation_id}",
            "dct:title": {"ja": recipient.name.ja, "en": recipient.name.en},
            "dpv:hasContact": recipient.contact,
        },
        "dpv:hasConsentStatus": f"dpv:{event.state.dpv}",
        "dpv:isIndicatedAtTime": event.at.isoformat(timespec="milliseconds"),
        "dpv:isIndicatedBy": _indicated_by(event),
        "dpv:hasDuration": {"until": None if event.expires_at is None else event.expires_at.isoformat()},
        "dpv:hasConsentControl": ["dpv:WithdrawConsent", "dpv:ReaffirmConsent"],
        "dct:description": {
            "ja": draft.on_withdrawal.text.ja,
            "en": draft.on_withdrawal.text.en,
        },
    }


def sign_input(record: bytes) -> bytes:
    """What is signed: the record under a fixed heading, so that no other signature of the city can pass for it."""
    return b"sanpo consent record v1\n" + record


def to_receipt(record: dict[str, Any], signature: bytes, vkey: str) -> dict[str, Any]:
    """The record as handed to the resident, with its signature and the key to check it."""
    return {
        "record": record,
        "signature": {
            "algorithm": "Ed25519",
            "over": "sanpo consent record v1 LF canonical JSON (RFC 8785) of record",
            "key": vkey,
            "value": base64.b64encode(signature).decode(),
        },
    }


def to_kantara(
    event: GrantEvent, agreement: PublishedAgreement, jurisdiction: str, vkey: str, origin: str
) -> dict[str, Any]:
    """The same consent as a Kantara Consent Receipt 1.1 (KI-CR-v1.1.0)."""
    draft, recipient, lang = agreement.draft, agreement.document.recipient, event.language
    purpose = {
        "purpose": draft.purpose.text.in_language(lang),
        "purposeCategory": [f"dpv:{term}" for term in draft.purpose.dpv],
        "consentType": "EXPLICIT",
        "piiCategory": [use.name for use in draft.datasets],
        "primaryPurpose": True,
        "termination": str(draft.term.last_day) if event.expires_at is None else event.expires_at.date().isoformat(),
        "thirdPartyDisclosure": False,
    }
    controller = {
        "piiController": recipient.name.in_language(lang),
        "onBehalf": False,
        "contact": recipient.contact,
        "address": {"addressCountry": jurisdiction},
        "email": recipient.contact if "@" in recipient.contact else "",
        "phone": "" if "@" in recipient.contact else recipient.contact,
    }
    return {
        "version": "KI-CR-v1.1.0",
        "jurisdiction": jurisdiction,
        "consentTimestamp": int(event.at.timestamp()),
        "collectionMethod": f"{agreement.document.city.en}: web page, {event.acted_as}, {event.state.dpv}",
        "consentReceiptID": event.event_id,
        "publicKey": vkey,
        "language": lang,
        "piiPrincipalId": event.pseudonym,
        "piiControllers": [controller],
        "policyUrl": f"{origin}/consent/agreements/{agreement.agreement_id}",
        "services": [{"service": draft.title.in_language(lang), "purposes": [purpose]}],
        "sensitive": False,
        "spiCat": [],
    }


def record_bytes(record: dict[str, Any]) -> bytes:
    return canonical_json(record)


def _process(agreement: PublishedAgreement) -> dict[str, Any]:
    draft = agreement.draft
    return {
        "@type": "dpv:Process",
        "dct:title": {"ja": draft.title.ja, "en": draft.title.en},
        "dct:description": {"ja": draft.purpose.text.ja, "en": draft.purpose.text.en},
        "dpv:hasPurpose": [f"dpv:{term}" for term in draft.purpose.dpv],
        "dpv:hasPersonalData": [{"dataset": use.name, "columns": list(use.columns)} for use in draft.datasets],
        "dpv:hasProcessing": ["dpv:Use", "dpv:Analyse"],
        "dpv:hasRecipient": f"urn:sanpo:{agreement.organisation_id}",
        "dpv:hasStorageCondition": {"@type": "dpv:StorageDuration", "days": draft.retention_days},
    }


def _indicated_by(event: GrantEvent) -> dict[str, Any]:
    """Who expressed it: the resident, or a representative and in which role (TS 27560 §6.6, delegation)."""
    by: dict[str, Any] = {"@type": "dpv:DataSubject", "role": "self"}
    if event.acted_as in ("parent", "carer"):
        kind = "dpv:ParentOfDataSubject" if event.acted_as == "parent" else "dpv:GuardianOfDataSubject"
        by = {"@type": kind, "role": event.acted_as, "representative": event.representative}
    elif event.acted_as != "self":
        by = {"@type": "dpv:DataController", "role": event.acted_as}
    return by
