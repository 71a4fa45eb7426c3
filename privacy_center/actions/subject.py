"""Making data subjects."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID, uuid4

from privacy_center.keys import new_key
from privacy_center.models import Account, AgeBand, DataSubject
from privacy_center.regions import MINIMUM_AGE, REGIONS, age_of_consent

ADULT = 18


class _Key(TypedDict):
    wrapped_key: bytes
    wrapping_key_id: str


class TooYoung(Exception):
    """Under 13: the service cannot be used, and nothing is kept (COPPA)."""


def age_band(age: int, region: str) -> AgeBand:
    """The band for an age in years. Raises `TooYoung` under 13."""
    if age < MINIMUM_AGE:
        raise TooYoung
    if age < age_of_consent(region):
        return AgeBand.BELOW_CONSENT
    return AgeBand.ADULT if age >= ADULT else AgeBand.TEEN


def create_subject(
    account: Account | None,
    *,
    region: str,
    band: AgeBand,
    at: datetime,
    is_synthetic: bool = False,
) -> DataSubject:
    """A new pseudonym for an account. Of the age, only the band arrives here."""
    if region not in REGIONS:
        raise ValueError(f"unknown region {region!r}")
    return DataSubject.objects.create(
        account=account,
        region=region,
        age_band=band,
        created_at=at,
        is_synthetic=is_synthetic,
        **_key(),
    )


def create_imported_subjects(count: int, *, at: datetime) -> Sequence[UUID]:
    """`count` subjects without accounts, for imported data; their ids in order."""
    subjects = [
        DataSubject(id=uuid4(), region="ZZ", age_band=AgeBand.ADULT, created_at=at, **_key())
        for _ in range(count)
    ]
    DataSubject.objects.bulk_create(subjects, batch_size=2000)
    return [subject.id for subject in subjects]


def _key() -> _Key:
    key = new_key()
    return {"wrapped_key": key.data, "wrapping_key_id": key.wrapping_key_id}
