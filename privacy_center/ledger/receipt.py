"""Receipts: one decision with its words, its place in the ledger, and our signature (JSON-LD).

The names are those of ISO/IEC TS 27560; `CONTEXT` gives their meaning in the W3C Data Privacy
Vocabulary (https://w3id.org/dpv/guides/consent-27560). What is not in it is our own.
"""

import base64
from collections.abc import Mapping
from uuid import UUID

from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.leaf import Leaf, Statement
from privacy_center.ledger.verify_receipt import STATES, validity

RECEIPT_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#receipt-eu-gdpr"
RECORD_SCHEMA = "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr"

# What the caller has to tell of the processing: 27560's mandatory fields and the GDPR profile's.
PROCESSING_FIELDS = frozenset(
    {
        "authority_party",
        "collection_method",
        "jurisdiction",
        "lawful_basis",
        "pii_controllers",
        "pii_information",
        "privacy_rights",
        "processing_location",
        "processing_method",
        "recipient_third_parties",
        "retention_period",
        "storage_locations",
        "withdrawal_method",
    }
)

# Written out in each receipt: nobody has to ask a server what the names mean.
CONTEXT: dict[str, object] = {
    "dct": "http://purl.org/dc/terms/",
    "dpv": "https://w3id.org/dpv#",
    "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
    "header": "@nest",
    "event": "@nest",
    "record": "dpv:hasRecordOfActivity",
    "processing": "dpv:hasProcess",
    "receipt_id": "dct:identifier",
    "record_id": "dct:identifier",
    "schema_version": {"@id": "dct:conformsTo", "@type": "@id"},
    "pii_principal_id": "dpv:hasDataSubject",
    "privacy_notice": "dpv:hasNotice",
    "version": "dct:hasVersion",
    "language": "dct:language",
    "purpose": "dpv:hasPurpose",
    "lawful_basis": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "pii_information": "dpv:hasPersonalData",
    "pii_controllers": "dpv:hasDataController",
    "collection_method": "dpv:hasDataSource",
    "processing_method": "dpv:hasProcessing",
    "processing_location": "dpv:hasLocation",
    "storage_locations": "dpv:hasStorageCondition",
    "retention_period": "dpv:hasStorageCondition",
    "jurisdiction": "dpv:hasJurisdiction",
    "recipient_third_parties": "dpv:hasRecipient",
    "withdrawal_method": "dpv:hasConsentControl",
    "privacy_rights": "dpv:hasRight",
    "authority_party": "dpv:hasAuthority",
    "event_time": "dct:date",
    "event_type": {"@id": "dpv:hasLegalBasis", "@type": "@id"},
    "event_state": {"@id": "dpv:hasConsentStatus", "@type": "@id"},
    "validity_duration": "dct:valid",
    "entity_id": "dpv:isImplementedByEntity",
}


def make_receipt(
    statement: Statement,
    *,
    notice: Mapping[str, object],
    processing: Mapping[str, object],
    opening: bytes,
    leaf: Leaf,
    proof: str,
    key: SigningKey,
    receipt_id: UUID,
) -> dict[str, object]:
    """The signed receipt of a decision; `receipt_file` gives the bytes to hand out.

    `notice` is the notice's document as published (with `purpose` and `version`); `processing` has
    at least `PROCESSING_FIELDS`; `proof` comes from `write_proof`. Raises ValueError for a missing
    field, and `Invalid` for what JSON cannot say.
    """
    if missing := PROCESSING_FIELDS - processing.keys():
        raise ValueError(f"The receipt needs to say: {', '.join(sorted(missing))}.")
    receipt: dict[str, object] = {
        "receipt_id": str(receipt_id),
        "@type": "dpv:ConsentReceipt",
        "schema_version": RECEIPT_SCHEMA,
        "record": {
            "@type": "dpv:ConsentRecord",
            "header": _header(statement),
            "processing": {**processing, **_notice_fields(statement, notice)},
            "event": _event(statement, lawful_basis=processing["lawful_basis"], ledger=key.name),
        },
        "notice": dict(notice),
        "ledger": {
            "statement": statement.document,
            "opening": base64.b64encode(opening).decode(),
            "leaf": leaf.document,
            "proof": proof,
        },
        "@context": CONTEXT,
    }
    return key.signed(receipt)


def _header(statement: Statement) -> dict[str, object]:
    return {
        "record_id": str(statement.record_id),
        "schema_version": RECORD_SCHEMA,
        "pii_principal_id": str(statement.pii_principal_id),
    }


def _notice_fields(statement: Statement, notice: Mapping[str, object]) -> dict[str, object]:
    return {
        "purpose": statement.purpose,
        "language": statement.language,
        "privacy_notice": {"version": notice["version"], "sha256": statement.notice},
    }


def _event(statement: Statement, *, lawful_basis: object, ledger: str) -> dict[str, object]:
    """What happened, when, and by whom: a person decides, but time and errors end a yes too."""
    is_explicit = str(lawful_basis).endswith("A9-2-a")
    is_ours = statement.decision in ("expired", "invalidated")
    return {
        "event_state": STATES[statement.decision],
        "event_time": statement.time,
        "event_type": f"dpv:{'Explicitly' if is_explicit else ''}ExpressedConsent",
        "entity_id": ledger if is_ours else str(statement.pii_principal_id),
        "validity_duration": validity(statement.time, statement.valid_until),
        "method": statement.method,
        "preset": statement.preset,
    }
