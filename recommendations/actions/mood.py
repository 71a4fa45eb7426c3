"""Checking in: keeping how a person feels, and letting go of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from privacy_center.interface import Person, Purpose, hold_consent, seal
from recommendations.actions.listening import NotConsented
from recommendations.actions.training import note_change
from recommendations.models import CheckIn, Practice, VectorChange
from recommendations.selectors.mood import Words, words_of

Kind = VectorChange.Kind


class CheckInTaken(Exception):
    """The id belongs to a check-in that says something else; nothing was changed."""


@dataclass(frozen=True)
class Felt:
    """What somebody says in one check-in. `words` are sealed before they are stored."""

    id: UUID
    practice: Practice | None
    moment: str
    valence: int
    energy: int
    words: Words
    at: datetime


def check_in(person: Person, felt: Felt) -> tuple[CheckIn, bool]:
    """Keep a check-in; return it, and whether it is new: sent twice, it is kept once, with the time
    it came with first.

    Raises `NotConsented` without a live yes, `CheckInTaken` when the id was used for something
    else, `KeyUnavailable` when the words cannot be sealed. Nothing is stored then.
    """
    if person.subject_id is None:
        raise NotConsented
    with transaction.atomic():
        # Before any row, as a withdrawal does it: the other order would be a deadlock.
        consent_id = hold_consent(person.subject_id, Purpose.MOOD_STORE)
        if consent_id is None:
            raise NotConsented
        kept, is_new = CheckIn.objects.get_or_create(
            pk=felt.id,
            defaults={
                "subject_id": person.subject_id,
                "consent_id": consent_id,
                "practice": felt.practice,
                "moment": felt.moment,
                "valence": felt.valence,
                "energy": felt.energy,
                "sealed": _sealed(person.subject_id, felt),
                "at": felt.at,
            },
        )
        if is_new:
            note_change(person.subject_id, Kind.LEARN)
        elif not _is_same(kept, felt, person.subject_id):
            raise CheckInTaken
        return kept, is_new


def delete_check_ins(person: Person, check_ins: QuerySet[CheckIn]) -> int:
    """Delete those of `check_ins` that are the person's own; return how many there were.

    It needs no live consent: what may not be kept any more may still be deleted.
    """
    if person.subject_id is None:
        raise NotConsented
    with transaction.atomic():
        hold_consent(person.subject_id, Purpose.MOOD_STORE)
        deleted, _by_model = check_ins.filter(subject_id=person.subject_id).delete()
        if deleted:
            # For who is not learned from, the next release makes sure of it: a yes may begin now.
            note_change(person.subject_id, Kind.FORGET if person.can_train_mood else Kind.LEARN)
        return deleted


def forget_mood(subject_id: UUID) -> None:
    """Delete every check-in of a person."""
    CheckIn.objects.filter(subject_id=subject_id).delete()


def _sealed(subject_id: UUID, felt: Felt) -> bytes:
    text = json.dumps({"labels": felt.words.labels, "note": felt.words.note}, ensure_ascii=False)
    return seal(subject_id, text, context=f"check-in {felt.id}")


def _is_same(kept: CheckIn, felt: Felt, subject_id: UUID) -> bool:
    return (
        kept.subject_id == subject_id
        and kept.practice_id == (felt.practice.pk if felt.practice else None)
        and (kept.moment, kept.valence, kept.energy) == (felt.moment, felt.valence, felt.energy)
        and words_of(kept) == felt.words
    )
