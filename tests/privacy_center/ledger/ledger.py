"""A small ledger with a receipt for each entry, as the site would issue them; all synthetic."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from privacy_center.ledger.checkpoint import SigningKey, sign_checkpoint
from privacy_center.ledger.leaf import Leaf, Statement, commitment, opening
from privacy_center.ledger.proof import write_proof
from privacy_center.ledger.receipt import make_receipt
from privacy_center.ledger.tree import inclusion_proof, root
from privacy_center.ledger.verify_receipt import STATES, Checkpoint, canonical
from tests.privacy_center.ledger.node_store import NodeStore

NAME = "stillwater.example/consent"
KEY = SigningKey.from_seed(NAME, bytes(range(32)))
NEXT_KEY = SigningKey.from_seed(NAME, bytes(range(1, 33)))
DECISIONS = list(STATES)
NOTICE: dict[str, object] = {
    "purpose": "listening:train",
    "version": 3,
    "valid_days": 730,
    "processing": {"data": ["listens", "favorites"], "special_category": False},
    "texts": {
        "en": {"title": "Help", "sentence": "Counted together.", "statement": "I agree."},
        "de": {"title": "Helfen", "sentence": "Zusammengezählt.", "statement": "Ich will es."},
    },
}
PROCESSING: dict[str, object] = {
    "authority_party": "the data protection authority where you live",
    "collection_method": "what you play in the app",
    "jurisdiction": "EU",
    "lawful_basis": "eu-gdpr:A6-1-a",
    "pii_controllers": ["Stillwater"],
    "pii_information": ["listens", "favorites"],
    "privacy_rights": ["access", "erasure"],
    "processing_location": "EU",
    "processing_method": "counted together with other people's",
    "recipient_third_parties": [],
    "retention_period": "until it is withdrawn",
    "storage_locations": ["EU"],
    "withdrawal_method": "the same switch on the privacy page",
}


@dataclass(frozen=True)
class Ledger:
    """`size` decisions of one person, sequenced and signed."""

    size: int
    keys: tuple[SigningKey, ...] = (KEY,)

    def statement(self, index: int) -> Statement:
        """What entry `index` is about; the decisions take turns."""
        decision = DECISIONS[index % len(DECISIONS)]
        is_yes = decision in ("given", "renewed")
        return Statement(
            record_id=UUID(int=index + 1, version=4),
            pii_principal_id=UUID(int=7, version=4),
            purpose="listening:train",
            decision=decision,
            notice=hashlib.sha256(canonical(NOTICE)).hexdigest(),
            time=f"2026-11-24T09:{index % 60:02}:00.000000Z",
            valid_until=f"2028-11-23T09:{index % 60:02}:00.000000Z" if is_yes else None,
            language="de",
            method="privacy_page",
            preset="",
        )

    def opening(self, index: int) -> bytes:
        """What opens the commitment of entry `index`."""
        return opening(b"the person's own key, 32 bytes..", self.statement(index).record_id)

    def leaf(self, index: int) -> Leaf:
        """Entry `index`."""
        statement = self.statement(index)
        return Leaf(
            purpose=statement.purpose,
            decision=statement.decision,
            notice=statement.notice,
            time=statement.time,
            commitment=commitment(self.opening(index), statement.data),
        )

    @cached_property
    def store(self) -> NodeStore:
        """The tree's nodes."""
        return NodeStore(self.leaf(index).hash for index in range(self.size))

    @property
    def checkpoint(self) -> Checkpoint:
        """Size and root."""
        return Checkpoint(NAME, self.size, root(self.size, self.store.read))

    @property
    def note(self) -> str:
        """The signed checkpoint."""
        return sign_checkpoint(self.checkpoint, self.keys)

    def proof(self, index: int) -> str:
        """That entry `index` is in the ledger."""
        hashes = inclusion_proof(index, self.size, self.store.read)
        return write_proof(index, hashes, self.note)

    def receipt(self, index: int) -> dict[str, object]:
        """The receipt of entry `index`, signed by the first key."""
        return make_receipt(
            self.statement(index),
            notice=NOTICE,
            processing=PROCESSING,
            opening=self.opening(index),
            leaf=self.leaf(index),
            proof=self.proof(index),
            key=self.keys[0],
            receipt_id=UUID(int=1000 + index, version=4),
        )
