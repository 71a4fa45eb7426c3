"""The forgetting certificate of a time of learning that a person ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from privacy_center.holders import Comparison, Forgetting, Learning, PublishedRelease
from privacy_center.ledger.certificate import (
    CertifiedComparison,
    CertifiedRelease,
    make_certificate,
)
from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.leaf import timestamp
from privacy_center.selectors.learning import forgetting, learning_ended_by
from privacy_center.selectors.receipt import announced_key

# What a certificate proves and what it does not: signed with the rest of it, and on its page.
STATEMENT = (
    _(
        "A digest is a fingerprint of the numbers that a model was made of. If one of them were "
        "different, the digest would be different."
    ),
    _(
        "The first release without this person was begun after their decision. What had been "
        "learned from them was taken out before it was made."
    ),
    _(
        "Later the model that we keep was compared with one made from scratch, from nothing but "
        "what the people who took part at that moment share. Both had the same digest. So nothing "
        "was left in it of anybody who had stopped."
    ),
    _(
        "What this cannot show: nobody can work out the digests again without everybody’s data, so "
        "you have our signed word. If it ever turns out to be untrue, this file shows that we "
        "gave it."
    ),
    _("It is about learning only. What is stored is shown on the privacy page."),
)


class CertificateNotReady(Exception):
    """There is no release without the person yet, or it was not compared yet."""


@dataclass(frozen=True)
class Certificate:
    """A time of learning that has ended by a decision, and what became of what was learned."""

    record_id: UUID
    time: Learning
    forgetting: Forgetting

    @property
    def is_ready(self) -> bool:
        """Whether everything is there that is signed."""
        return self.forgetting.comparison is not None

    @property
    def is_impossible(self) -> bool:
        """Whether the person came back before a release without them was made."""
        return self.forgetting.first_without is None and self.time.resumed_at is not None

    def document(self, keys: Sequence[SigningKey]) -> dict[str, object]:
        """Signed by the first of `keys` that the ledger has published; in the reader's language.

        Raises `CertificateNotReady`, and `ReceiptNotReady` when none of the keys was published.
        """
        without, comparison = self.forgetting.first_without, self.forgetting.comparison
        if self.time.ends is None or without is None or comparison is None:
            raise CertificateNotReady
        last = self.forgetting.last_with
        return make_certificate(
            self.record_id,
            purpose=self.time.purpose,
            ended_at=timestamp(self.time.ends),
            last_with=_release(last) if last else None,
            first_without=_release(without),
            comparison=_comparison(comparison),
            statement=[str(sentence) for sentence in STATEMENT],
            key=announced_key(keys),
        )


def certificate_of(subject_id: UUID, record_id: UUID) -> Certificate | None:
    """The certificate of the time of learning that this decision ended; None if the decision is not
    the person's, or ended none."""
    time = learning_ended_by(subject_id, record_id)
    return Certificate(record_id, time, forgetting(time)) if time else None


def _release(release: PublishedRelease) -> CertifiedRelease:
    return CertifiedRelease(release.id, timestamp(release.published_at), release.digest)


def _comparison(comparison: Comparison) -> CertifiedComparison:
    at = timestamp(comparison.at)
    return CertifiedComparison(at, comparison.digest, comparison.rebuild_digest)
