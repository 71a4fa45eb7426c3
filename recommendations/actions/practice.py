"""Bringing the catalog of the repository into the database."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from recommendations.actions.training import note_catalog
from recommendations.catalog import Entry
from recommendations.models import Kind, Practice, Topic

# Stands in place of a digest when the file is gone.
GONE = "gone"
# What a file says of its practice; the rest is the editors'.
FROM_FILES = [
    "title", "summary", "kind", "intention", "voice", "seconds", "content", "soundscape", "place",
    "is_published", "file_digest",
]  # fmt: skip


def load_catalog(entries: Sequence[Entry]) -> int:
    """Create a practice for each new entry and update those whose file changed; return how many
    entries there are.

    What editors changed since stays as it is, and so does a practice of their own with the slug
    of an entry. A practice whose file is gone is unpublished, not deleted: people may have
    listened to it.
    """
    with transaction.atomic():
        known = dict(Practice.objects.values_list("slug", "file_digest"))
        changed = [e for e in entries if known.get(e.slug) not in (e.digest, "")]
        soundscapes = [entry for entry in changed if entry.kind == Kind.SOUNDSCAPE]
        _save(soundscapes)
        _save([entry for entry in changed if entry.kind != Kind.SOUNDSCAPE])
        _set_topics(changed)
        slugs = [entry.slug for entry in entries]
        gone = Practice.objects.exclude(file_digest__in=("", GONE)).exclude(slug__in=slugs)
        if gone.update(is_published=False, file_digest=GONE) or changed:
            note_catalog()
    return len(entries)


def _save(entries: Sequence[Entry]) -> None:
    """Make the rows what the entries say."""
    beds = _ids({entry.soundscape for entry in entries})
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
            file_digest=entry.digest,
        )
        for entry in entries
    ]
    Practice.objects.bulk_create(
        practices, update_conflicts=True, unique_fields=["slug"], update_fields=FROM_FILES
    )


def _ids(slugs: Iterable[str]) -> dict[str, int]:
    return dict(Practice.objects.filter(slug__in=slugs).values_list("slug", "pk"))


def _set_topics(entries: Sequence[Entry]) -> None:
    ids = _ids(entry.slug for entry in entries)
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
