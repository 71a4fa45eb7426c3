"""The only door for other apps: who is asking, what they agreed to, who must act on a change.

Other apps know a person by the data subject's id and by nothing else. SQL that must read consent
(triggers, COPY) reads the view `consent_in_force (record_id, subject_id, purpose, since)`. Where
several transactions must read the same, it reads `consent_recorded (record_id, subject_id,
purpose)`, after `expire_consents`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from uuid import UUID

from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from privacy_center.actions.consent import ConsentRefused, grant_to_imported
from privacy_center.actions.population import add_synthetic_people
from privacy_center.actions.subject import create_imported_subjects
from privacy_center.data_map import (
    DATA_MAP,
    WHILE_ACCOUNT,
    WHILE_CONSENT,
    Category,
    Column,
    Owner,
    PlaceKind,
    Retention,
    Source,
)
from privacy_center.expiry import expire as expire_consents
from privacy_center.holders import (
    Comparison,
    Event,
    Forgetting,
    Holder,
    Holding,
    Learning,
    PublishedRelease,
    register_holder,
)
from privacy_center.keys import KeyUnavailable, WrappedKey
from privacy_center.models import Account, DataSubject
from privacy_center.personal_rows_admin import PersonalRowsAdmin
from privacy_center.purposes import Purpose
from privacy_center.read_only_admin import ReadOnlyAdmin
from privacy_center.recorder import DECISIONS_LOCK
from privacy_center.sealed_text import seal, unseal
from privacy_center.selectors.consent import hold_consent, last_decision, purposes_in_force
from privacy_center.selectors.subject import has_real_people, subject_of

__all__ = [
    "DATA_MAP",
    "DECISIONS_LOCK",
    "WHILE_ACCOUNT",
    "WHILE_CONSENT",
    "Category",
    "Column",
    "Comparison",
    "ConsentRefused",
    "Event",
    "Forgetting",
    "Holder",
    "Holding",
    "KeyUnavailable",
    "Learning",
    "Owner",
    "Person",
    "PersonalRowsAdmin",
    "PlaceKind",
    "PublishedRelease",
    "Purpose",
    "ReadOnlyAdmin",
    "Retention",
    "Source",
    "add_synthetic_people",
    "create_imported_subjects",
    "expire_consents",
    "grant_to_imported",
    "has_real_people",
    "hold_consent",
    "last_decision",
    "person",
    "purposes_in_force",
    "register_holder",
    "seal",
    "unseal",
]


class ConsentsNow(Mapping[Purpose, UUID]):
    """The live yeses of somebody, each with its record; read when they are first asked for."""

    def __init__(self, subject_id: UUID) -> None:
        self._subject_id = subject_id

    @cached_property
    def _found(self) -> Mapping[Purpose, UUID]:
        return purposes_in_force(self._subject_id)

    def __getitem__(self, purpose: Purpose) -> UUID:
        return self._found[purpose]

    def __iter__(self) -> Iterator[Purpose]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True)
class Person:
    """Whoever is looking. Without a subject, or without a live yes, nothing may be stored."""

    subject_id: UUID | None = None
    consents: Mapping[Purpose, UUID] = field(default_factory=dict)
    is_signed_in: bool = False
    is_synthetic: bool = False
    # Wrapped, as it was read for this request; without it, `unseal` reads it.
    key: WrappedKey | None = field(default=None, repr=False, compare=False)

    def unseal(self, sealed: bytes, *, context: str) -> str | None:
        """The person's own text; None when their key does not open it any more."""
        if self.subject_id is None:
            return None
        return unseal(self.subject_id, sealed, context=context, key=self.key)

    @property
    def can_store(self) -> bool:
        return Purpose.LISTENING_STORE in self.consents

    @property
    def browser_key(self) -> str:
        """Tells people who share a browser apart, and means nothing anywhere else."""
        return _opaque(self.subject_id) if self.subject_id else ""

    @property
    def consent_key(self) -> str:
        """The same for the consent under which listening is stored; "" without one."""
        return _opaque(self.consents[Purpose.LISTENING_STORE]) if self.can_store else ""

    @property
    def can_personalize(self) -> bool:
        return self.can_store and Purpose.LISTENING_PERSONALIZE in self.consents

    @property
    def can_train(self) -> bool:
        return self.can_store and Purpose.LISTENING_TRAIN in self.consents

    @property
    def can_store_mood(self) -> bool:
        return Purpose.MOOD_STORE in self.consents

    @property
    def can_personalize_mood(self) -> bool:
        return self.can_store_mood and Purpose.MOOD_PERSONALIZE in self.consents

    @property
    def can_train_mood(self) -> bool:
        return self.can_store_mood and Purpose.MOOD_TRAIN in self.consents


def person(request: HttpRequest) -> Person:
    """Who makes this request; read from the database once a request, the consents only where
    somebody asks for them."""
    cached: Person | None = getattr(request, "_person", None)
    if cached is None:
        cached = _person(request)
        request._person = cached  # type: ignore[attr-defined]
    return cached


def _opaque(known: UUID) -> str:
    return salted_hmac("privacy_center.browser", str(known)).hexdigest()[:16]


def _person(request: HttpRequest) -> Person:
    account = request.user
    if not isinstance(account, Account):
        return Person()
    subject: DataSubject | None = subject_of(account)
    if subject is None:
        return Person(is_signed_in=True)
    return Person(
        subject_id=subject.id,
        consents=ConsentsNow(subject.id),
        is_signed_in=True,
        is_synthetic=subject.is_synthetic,
        key=subject.key,
    )
