"""The home page's shelves for an app, with the reason for every card."""

from functools import lru_cache

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.interface import person
from recommendations.api.practice import practice_json
from recommendations.api.strict import StrictSerializer
from recommendations.models import Intention, Practice
from recommendations.selectors.shelves import shelves

FURTHEST_OFFSET = 14 * 60


class ShelvesQuery(StrictSerializer):
    intention = serializers.ChoiceField(choices=Intention.choices, required=False, default=None)
    utc_offset_minutes = serializers.IntegerField(
        required=False, min_value=-FURTHEST_OFFSET, max_value=FURTHEST_OFFSET, default=0
    )


class ShelvesView(APIView):
    """`GET` the shelves. Without consent or account the answer has the same shape."""

    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        intention, offset = _asked(tuple(request.query_params.dict().items()))
        who = person(request._request)
        shown = shelves(who, now=timezone.now(), intention=intention, utc_offset_minutes=offset)
        return Response(
            {
                "is_personal": any(shelf.is_personal for shelf in shown),
                "shelves": [
                    {
                        "key": shelf.key,
                        "title": shelf.title,
                        "note": shelf.note,
                        "is_personal": shelf.is_personal,
                        "cards": [
                            {**_kept_json(card.practice), "why": card.why} for card in shelf.cards
                        ],
                    }
                    for shelf in shown
                ],
            }
        )


@lru_cache(maxsize=1024)
def _asked(query: tuple[tuple[str, str], ...]) -> tuple[Intention | None, int]:
    """The intention and the offset that a query asks for. Raises ValidationError (400), and says so
    anew each time; good questions are few and the same."""
    read = ShelvesQuery(data=dict(query))
    read.is_valid(raise_exception=True)
    intention = read.validated_data["intention"]
    return Intention(intention) if intention else None, read.validated_data["utc_offset_minutes"]


# By the id of the practice: the very object, which is another one once the catalog has changed.
_kept: dict[int, tuple[Practice, dict[str, object]]] = {}


def _kept_json(practice: Practice) -> dict[str, object]:
    """The practice as clients see it, made once as long as the catalog stays as it is."""
    kept = _kept.get(practice.pk)
    if kept is None or kept[0] is not practice:
        kept = _kept[practice.pk] = (practice, practice_json(practice))
    return kept[1]
