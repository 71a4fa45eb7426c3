"""What every page may show of a person's privacy: a question to answer, and the opt-out."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from privacy_center.gpc import COOKIE, ENDED, PRESSED, has_signal
from privacy_center.interface import person
from privacy_center.purposes import MOOD, Purpose
from privacy_center.selectors.gpc import NOT_OPTED_OUT, OptOut, opt_out_of
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices_with_texts, text_in
from privacy_center.selectors.renewal import Renewal, renewals, states_to_ask
from privacy_center.views.renewal import is_put_aside


@dataclass(frozen=True)
class EndedBySignal:
    """What the browser's signal switched off, with the words for switching it on again."""

    purpose: Purpose
    title: str
    statement: str
    is_explicit: bool
    shown: str


@dataclass(frozen=True)
class Standing:
    """`renewals` is empty while the person has put them aside."""

    renewals: Sequence[Renewal]
    ended_by_signal: Sequence[EndedBySignal]
    opt_out: OptOut


def privacy(request: HttpRequest) -> dict[str, object]:
    """Context processor. `privacy` costs one query, of somebody signed in, when a page uses it."""
    return {"privacy": SimpleLazyObject(lambda: standing(request))}


def standing(request: HttpRequest) -> Standing:
    """What there is to tell whoever is looking."""
    subject_id = person(request).subject_id
    if subject_id is None:
        return Standing([], [], browser_opt_out(request))
    language, at = get_language() or FIRST_LANGUAGE, timezone.now()
    states = states_to_ask(subject_id, at=at)
    asked = [] if is_put_aside(request, at=at) else renewals(states, language=language, at=at)
    return Standing(asked, _ended_by_signal(request, language), opt_out_of(states))


def browser_opt_out(request: HttpRequest) -> OptOut:
    """The opt-out of somebody without an account: their browser's own."""
    if has_signal(request):
        return OptOut(is_on=True, is_by_signal=True)
    return OptOut(is_on=True) if request.COOKIES.get(COOKIE) == PRESSED else NOT_OPTED_OUT


def _ended_by_signal(request: HttpRequest, language: str) -> list[EndedBySignal]:
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return []
    ended = [Purpose(purpose) for purpose in request.session.get(ENDED, [])]
    if not ended:
        return []
    notices = live_notices_with_texts()
    texts = {purpose: text_in(notices[purpose], language) for purpose in ended}
    return [
        EndedBySignal(
            purpose,
            text.title,
            text.statement,
            purpose in MOOD,
            f"{purpose}={notices[purpose].version}",
        )
        for purpose, text in texts.items()
    ]
