"""What a receipt says of the processing: the fields of ISO/IEC TS 27560, from the notice."""

from collections.abc import Mapping

from django.conf import settings
from django.urls import reverse

from privacy_center.authorities import authority_of
from privacy_center.models import ConsentRecord, DataSubject
from privacy_center.regions import REGIONS

# GDPR Articles 7(3), 13, 15 to 18, 20, 21 and 77, in the W3C Data Privacy Vocabulary's words.
RIGHTS = ("A7-3", "A13", "A15", "A16", "A17", "A18", "A20", "A21", "A77")
METHODS: Mapping[str, tuple[str, ...]] = {
    "store": ("dpv:Collect", "dpv:Store", "dpv:Erase"),
    "personalize": ("dpv:Use", "dpv:Match"),
    "train": ("dpv:Use", "dpv:Combine", "dpv:Analyse"),
}
OWN_SERVERS = "The controller's own servers"


def processing(record: ConsentRecord, subject: DataSubject) -> dict[str, object]:
    """The processing that the record's decision is about."""
    said = record.notice.processing
    return {
        "lawful_basis": f"eu-gdpr:{gdpr_article(said)}",
        "is_special_category": bool(said["special_category"]),
        "pii_information": list(said["data"]),
        "pii_controllers": [settings.CONTROLLER],
        "collection_method": "From the person, by what they do and enter here",
        "processing_method": list(METHODS.get(record.purpose.partition(":")[2], ())),
        "processing_location": OWN_SERVERS,
        "storage_locations": [OWN_SERVERS],
        "retention_period": str(said["retention"]),
        "jurisdiction": REGIONS[subject.region][0],
        "recipient_third_parties": [],
        "transfers": [],
        "withdrawal_method": reverse("privacy_center:privacy"),
        "privacy_rights": [f"eu-gdpr:{article}" for article in RIGHTS],
        "authority_party": authority_of(subject.region),
    }


def gdpr_article(said: Mapping[str, object]) -> str:
    """The article that a notice's legal basis names, such as `A6-1-a`: the vocabulary's prefix has
    changed its spelling before."""
    return str(said["legal_basis"]).rpartition(":")[2]
