"""What is signed of an erasure: what went, what became of what was learned, what was searched."""

from django.utils.translation import gettext as _

from privacy_center.ledger.leaf import timestamp
from privacy_center.ledger.verify_receipt import ERASURE
from privacy_center.models import Erasure
from privacy_center.residue import Look
from privacy_center.selectors.receipt import announced_key
from privacy_center.sequencer import signing_keys


def statement() -> list[str]:
    """What a certificate proves and what it does not; in the reader's language."""
    return [
        _(
            "Every row about this person was deleted, or what named them in it was emptied. Their "
            "key was destroyed: what it had encrypted cannot be read any more, in old copies "
            "neither."
        ),
        _(
            "Afterwards every table, every file of the site, the queue and the cache were searched "
            "for what could name the person, in several writings. Nothing was found."
        ),
        _(
            "What stays: the hashes of their decisions in the public ledger, which name nobody; "
            "this certificate; and a mark that nobody can go back from, by which the person is "
            "erased again if an older backup is ever restored."
        ),
        _(
            "Backups and the database’s own log still hold older states until they run out. What "
            "this cannot show: that we searched everywhere. You have our signed word."
        ),
    ]


def make_erasure_certificate(erasure: Erasure, found: Look) -> dict[str, object]:
    """The signed certificate of an erasure that is done. Raises `ReceiptNotReady` when no key of
    ours is published."""
    if erasure.done_at is None:
        raise ValueError("An erasure is certified when it is done.")
    key = announced_key(signing_keys())
    certificate: dict[str, object] = {
        "@type": ERASURE,
        "number": erasure.number,
        "asked_at": timestamp(erasure.asked_at),
        "done_at": timestamp(erasure.done_at),
        "erased": dict(erasure.erased),
        "learned": list(erasure.learned),
        "searched": {"tables": found.tables, "files": found.files, "keys": found.keys, "found": 0},
        "ledger": key.name,
        "statement": statement(),
    }
    return key.signed(certificate)
