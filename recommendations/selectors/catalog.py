"""The catalog as a process keeps it: read once an edition, and the same for all requests."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from uuid import UUID

from recommendations.engine.diversity import carried
from recommendations.engine.dtypes import Matrix
from recommendations.models import CatalogEdition, Intention, Practice

CatalogRow = tuple[int, str, str, int]
Kinded = tuple[int, str]
SHORT_SECONDS = 5 * 60 + 29


@dataclass(frozen=True, eq=False)
class Catalog:
    """`practices` are all by id, without their content, with their topics; `published` are those
    that people may play, `rows` the same in the editors' order: id, kind, intention, seconds.
    `by_intention` and `short` are of them, in that order: id and kind. `topics` are slugs.
    `tags` (float64[n, t] of 0 and 1) says which practice carries what makes practices alike;
    `places` are its rows by id."""

    edition: UUID | None
    practices: Mapping[int, Practice]
    published: Set[int]
    topics: Mapping[int, Set[str]]
    tags: Matrix
    places: Mapping[int, int]
    rows: Sequence[CatalogRow]
    by_intention: Mapping[str, Sequence[Kinded]]
    short: Sequence[Kinded]

    def alike(self, practice_id: int, *, n: int) -> list[int]:
        """Published practices with the most topics in common, then the same intention, then the
        same kind. What the site shows when there is no model: it needs nobody's data."""
        practice, topics = (
            self.practices.get(practice_id),
            self.topics.get(practice_id, frozenset()),
        )
        if practice is None:
            return []

        def likeness(other: CatalogRow) -> tuple[int, bool, bool]:
            pk, kind, intention, _seconds = other
            shared = len(topics & self.topics[pk])
            return shared, intention == practice.intention, kind == practice.kind

        others = [row for row in self.rows if row[0] != practice_id]
        return [row[0] for row in sorted(others, key=likeness, reverse=True)[:n]]


_kept: Catalog | None = None


def catalog_of(edition: UUID | None) -> Catalog:
    """The catalog, of an edition that was just read from the database: what this process keeps, or
    read again when that is of another one."""
    global _kept
    kept = _kept
    if edition is not None and kept is not None and kept.edition == edition:
        return kept
    catalog = _read(edition)
    # If it changed meanwhile, what was read may be of two editions: it is for this request alone.
    if edition is not None and current_edition() == edition:
        _kept = catalog
    return catalog


def current_edition() -> UUID | None:
    """The edition in force; None while there is no catalog yet."""
    return CatalogEdition.objects.values_list("edition", flat=True).first()


def _read(edition: UUID | None) -> Catalog:
    found = list(Practice.objects.defer("content").prefetch_related("topics"))
    rows = [(p.pk, p.kind, p.intention, p.seconds) for p in found if p.is_published]
    topics = {p.pk: frozenset(topic.slug for topic in p.topics.all()) for p in found}
    return Catalog(
        edition=edition,
        practices={practice.pk: practice for practice in found},
        published=frozenset(row[0] for row in rows),
        topics=topics,
        tags=carried([_tags(practice, topics[practice.pk]) for practice in found]),
        places={practice.pk: place for place, practice in enumerate(found)},
        rows=rows,
        by_intention={
            asked: [(pk, kind) for pk, kind, intention, _seconds in rows if intention == asked]
            for asked in Intention
        },
        short=[(pk, kind) for pk, kind, _i, seconds in rows if seconds <= SHORT_SECONDS],
    )


def _tags(practice: Practice, topics: Set[str]) -> Set[str]:
    """A topic and an intention of the same name are two things."""
    tags = {f"kind {practice.kind}", f"intention {practice.intention}"}
    if practice.voice:
        tags.add(f"voice {practice.voice}")
    return tags | topics
