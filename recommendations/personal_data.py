"""What this app's tables hold of people: its part of the data map."""

from django.utils.translation import gettext_lazy as _

from privacy_center.interface import (
    DATA_MAP,
    WHILE_CONSENT,
    Category,
    Column,
    Owner,
    PlaceKind,
    Retention,
    Source,
)

_KEY = _("ties the rows of one person together")
_CONSENT = _("names the decision that lets us keep it")
_HISTORY = _("your history, on all your devices, and your shelves")


def _behavior(**extra: Column) -> dict[str, Column]:
    """The columns of every table of stored listening, and those that are of one alone."""
    return {
        "id subject_id": Column(Category.LISTENING, _KEY, Source.SITE),
        "consent_id": Column(Category.LISTENING, _CONSENT, Source.SITE),
        "practice": Column(Category.LISTENING, _HISTORY, Source.USE),
        **extra,
    }


_TAKEN_OUT = Column(
    Category.LISTENING, _("leaves it out of your taste, as you asked"), Source.PERSON
)
DATA_MAP.table(
    "recommendations.Listen",
    Owner.SUBJECT,
    "subject_id",
    retention=WHILE_CONSENT,
    columns={
        **_behavior(),
        "started_at seconds position completion": Column(Category.LISTENING, _HISTORY, Source.USE),
        "is_excluded": _TAKEN_OUT,
    },
)
DATA_MAP.table(
    "recommendations.Rating",
    Owner.SUBJECT,
    "subject_id",
    retention=WHILE_CONSENT,
    columns={
        **_behavior(),
        "value rated_at": Column(Category.LISTENING, _("how it left you"), Source.PERSON),
    },
)
DATA_MAP.table(
    "recommendations.Favorite",
    Owner.SUBJECT,
    "subject_id",
    retention=WHILE_CONSENT,
    columns={
        **_behavior(),
        "created_at": Column(Category.LISTENING, _("what you want to find again"), Source.PERSON),
        "is_excluded": _TAKEN_OUT,
    },
)
DATA_MAP.table(
    "recommendations.HiddenPractice",
    Owner.SUBJECT,
    "subject_id",
    retention=WHILE_CONSENT,
    columns={
        **_behavior(),
        "hidden_at": Column(Category.LISTENING, _("what you do not want to see"), Source.PERSON),
    },
)
DATA_MAP.table(
    "recommendations.CheckIn",
    Owner.SUBJECT,
    "subject_id",
    retention=WHILE_CONSENT,
    columns={
        "id subject_id": Column(Category.MOOD, _KEY, Source.SITE, is_special=True),
        "consent_id": Column(Category.MOOD, _CONSENT, Source.SITE, is_special=True),
        "practice moment valence energy at": Column(
            Category.MOOD, _("how you said you feel"), Source.PERSON, is_special=True
        ),
        "mood": Column(
            Category.MOOD, _("one word for valence and energy"), Source.DERIVED, is_special=True
        ),
        "sealed": Column(
            Category.MOOD,
            _("your words and notes"),
            Source.PERSON,
            is_special=True,
            is_sealed=True,
        ),
    },
)
_LEARNED = _("what the model has of you, so that it can be taken out again exactly")
DATA_MAP.table(
    "recommendations.TrainingVector",
    Owner.SUBJECT,
    "subject_id",
    retention=Retention(_("until you switch training off; then at most a minute")),
    columns={"subject_id vector": Column(Category.LEARNED, _LEARNED, Source.DERIVED)},
)
DATA_MAP.table(
    "recommendations.VectorChange",
    Owner.SUBJECT,
    "subject_id",
    retention=Retention(_("until the next model is out")),
    columns={
        "id kind subject_id created_at batch old new": Column(
            Category.LEARNED, _("what the next model must learn or forget"), Source.DERIVED
        )
    },
)

_CATALOG = "The catalog: the same for everybody."
DATA_MAP.nobody("recommendations.CatalogEdition", "id edition", because=_CATALOG)
DATA_MAP.nobody("recommendations.Topic", "id slug name", because=_CATALOG)
DATA_MAP.nobody("recommendations.Practice_topics", "id practice topic", because=_CATALOG)
DATA_MAP.nobody(
    "recommendations.Practice",
    "id slug title summary kind intention voice seconds content soundscape audio place is_published"
    " file_digest",
    because=_CATALOG,
)
_SUMS = "Sums over many people; releases that hold somebody who left are deleted."
DATA_MAP.nobody(
    "recommendations.Release",
    "id state started_at published_at algorithm regularization people interactions practices"
    " last_decision held_because is_forgetting gram_digest file_digest metrics",
    because=_SUMS,
)
DATA_MAP.nobody(
    "recommendations.ModelState",
    "id token seen_at batch applied file_name file_digest gram_digest built_at is_quality_accepted",
    because=_SUMS,
)
DATA_MAP.nobody(
    "recommendations.ModelAudit", "id at digest rebuild_digest people seconds", because=_SUMS
)

_FORGOTTEN = _("the person is subtracted exactly, and files that had them are deleted")
DATA_MAP.place(PlaceKind.FILES, "recommendations.Practice.audio")
DATA_MAP.place(
    PlaceKind.FILES,
    "releases/",
    holds=_("sums over the people who train"),
    retention=_("until the next model is out"),
    erasure=_FORGOTTEN,
)
DATA_MAP.place(
    PlaceKind.FILES,
    "model/",
    holds=_("sums over the people who train"),
    retention=_("until the next change"),
    erasure=_FORGOTTEN,
)
DATA_MAP.place(PlaceKind.TASK, "recommendations.train_model")
DATA_MAP.place(PlaceKind.TASK, "recommendations.reconcile")
DATA_MAP.place(PlaceKind.TASK, "recommendations.audit_model", arguments="if_due")
DATA_MAP.place(
    PlaceKind.TASK,
    "recommendations.build_shard",
    arguments="name snapshot slices shards shard is_kept",
)
