"""Bringing the catalog of the repository into the database."""

from collections.abc import Sequence

from django.db import transaction

from recommendations.catalog import Entry
from recommendations.models import Practice, Topic


def load_catalog(entries: Sequence[Entry]) -> int:
    """Create or update a practice for each entry; return how many there are.

    Practices made by editors are left alone. A practice whose file is gone is unpublished, not
    deleted: people may have listened to it.
    """
    with transaction.atomic():
        topics = _topics({slug for entry in entries for slug in entry.topics})
        practices: dict[str, Practice] = {}
        for entry in entries:
            practice = _save(entry, practices.get(entry.soundscape))
            practice.topics.set([topics[slug] for slug in entry.topics])
            practices[entry.slug] = practice
        gone = Practice.objects.filter(is_from_files=True).exclude(slug__in=practices)
        gone.update(is_published=False)
    return len(practices)


def _topics(slugs: set[str]) -> dict[str, Topic]:
    Topic.objects.bulk_create(
        [Topic(slug=slug, name=slug.replace("-", " ").capitalize()) for slug in sorted(slugs)],
        ignore_conflicts=True,
    )
    return {topic.slug: topic for topic in Topic.objects.filter(slug__in=slugs)}


def _save(entry: Entry, soundscape: Practice | None) -> Practice:
    practice, _created = Practice.objects.update_or_create(
        slug=entry.slug,
        defaults={
            "title": entry.title,
            "summary": entry.summary,
            "kind": entry.kind,
            "intention": entry.intention,
            "voice": entry.voice,
            "seconds": entry.seconds,
            "content": entry.content,
            "soundscape": soundscape,
            "place": entry.place,
            "is_published": True,
            "is_from_files": True,
        },
    )
    return practice
