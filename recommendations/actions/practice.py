"""Bringing the catalog of the repository into the database."""

from collections.abc import Mapping, Sequence

from django.db import transaction

from recommendations.catalog import Entry
from recommendations.models import Kind, Practice, Topic

# What a file says of its practice; the rest is the editors'.
FROM_FILES = [
    "title", "summary", "kind", "intention", "voice", "seconds", "content", "soundscape", "place",
    "is_published", "is_from_files",
]  # fmt: skip


def load_catalog(entries: Sequence[Entry]) -> int:
    """Create or update a practice for each entry; return how many there are.

    Practices made by editors are left alone. A practice whose file is gone is unpublished, not
    deleted: people may have listened to it.
    """
    soundscapes = [entry for entry in entries if entry.kind == Kind.SOUNDSCAPE]
    others = [entry for entry in entries if entry.kind != Kind.SOUNDSCAPE]
    with transaction.atomic():
        beds = _save(soundscapes, beds={})
        ids = beds | _save(others, beds=beds)
        _set_topics(entries, ids)
        gone = Practice.objects.filter(is_from_files=True).exclude(slug__in=ids)
        gone.update(is_published=False)
    return len(ids)


def _save(entries: Sequence[Entry], *, beds: Mapping[str, int]) -> dict[str, int]:
    """The ids by slug, once the rows are what the entries say."""
    practices = [
        Practice(
            slug=entry.slug,
            title=entry.title,
            summary=entry.summary,
            kind=entry.kind,
            intention=entry.intention,
            voice=entry.voice,
            seconds=entry.seconds,
            content=entry.content,
            soundscape_id=beds.get(entry.soundscape),
            place=entry.place,
            is_published=True,
            is_from_files=True,
        )
        for entry in entries
    ]
    Practice.objects.bulk_create(
        practices, update_conflicts=True, unique_fields=["slug"], update_fields=FROM_FILES
    )
    slugs = [entry.slug for entry in entries]
    return dict(Practice.objects.filter(slug__in=slugs).values_list("slug", "pk"))


def _set_topics(entries: Sequence[Entry], ids: Mapping[str, int]) -> None:
    slugs = sorted({slug for entry in entries for slug in entry.topics})
    Topic.objects.bulk_create(
        [Topic(slug=slug, name=slug.replace("-", " ").capitalize()) for slug in slugs],
        ignore_conflicts=True,
    )
    topics = dict(Topic.objects.filter(slug__in=slugs).values_list("slug", "pk"))
    through = Practice.topics.through.objects
    through.filter(practice_id__in=ids.values()).delete()
    through.bulk_create(
        Practice.topics.through(practice_id=ids[entry.slug], topic_id=topics[slug])
        for entry in entries
        for slug in entry.topics
    )
