"""From an account to its pseudonym."""

from uuid import UUID

from privacy_center.models import Account, AgeBand, ConsentState, DataSubject


def subject_of(account: Account) -> DataSubject | None:
    """The account's data subject; staff accounts may have none."""
    subject: DataSubject | None = getattr(account, "subject", None)
    return subject


def hold_subject(subject_id: UUID) -> DataSubject:
    """The subject, held until the transaction ends: one decision at a time per person, while
    everybody else is untouched."""
    return DataSubject.objects.select_for_update(no_key=True).get(pk=subject_id)


def has_decided(subject_id: UUID) -> bool:
    """Whether the person was asked and answered, yes or no."""
    return ConsentState.objects.filter(subject_id=subject_id).exists()


def is_below_consent(subject_id: UUID) -> bool:
    """Whether the person is too young to consent alone where they live (GDPR 8)."""
    return DataSubject.objects.filter(pk=subject_id, age_band=AgeBand.BELOW_CONSENT).exists()


def has_real_people() -> bool:
    """Whether anybody here is not made up."""
    return DataSubject.objects.filter(is_synthetic=False).exists()
