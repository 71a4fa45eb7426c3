"""The catalog: filtered, in pages."""

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from recommendations.api.strict import StrictSerializer
from recommendations.models import Intention, Kind, Practice
from recommendations.models.practice import is_plain_text
from recommendations.selectors.practice import Filters, matching

LARGEST_PAGE = 100
LONGEST_MINUTES = 10_000
LAST_PAGE = 1_000_000


class LibraryQuery(StrictSerializer):
    """What may stand in the query."""

    q = serializers.CharField(
        required=False,
        max_length=80,
        allow_blank=True,
        trim_whitespace=False,
        validators=[is_plain_text],
        default="",
    )
    kind = serializers.ChoiceField(choices=Kind.choices, required=False, default="")
    intention = serializers.ChoiceField(choices=Intention.choices, required=False, default="")
    topic = serializers.SlugField(required=False, max_length=32, default="")
    max_minutes = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_MINUTES, default=None
    )
    min_minutes = serializers.IntegerField(
        required=False, min_value=1, max_value=LONGEST_MINUTES, default=None
    )
    page = serializers.IntegerField(required=False, min_value=1, max_value=LAST_PAGE, default=1)
    page_size = serializers.IntegerField(required=False, min_value=1, default=24)

    def validate_page_size(self, value: int) -> int:
        return min(value, LARGEST_PAGE)


def practice_json(practice: Practice) -> dict[str, object]:
    """A practice as clients see it."""
    return {
        "slug": practice.slug,
        "title": practice.title,
        "summary": practice.summary,
        "kind": practice.kind,
        "intention": practice.intention,
        "voice": practice.voice or None,
        "seconds": practice.seconds,
        "topics": [topic.slug for topic in practice.topics.all()],
        "url": practice.get_absolute_url(),
    }


class PracticesView(APIView):
    """`GET` the practices that fit; a page size beyond the limit is the limit."""

    permission_classes = (AllowAny,)

    def get(self, request: Request) -> Response:
        query = LibraryQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        found: QuerySet[Practice] = matching(
            Filters(
                text=asked["q"],
                kind=asked["kind"],
                intention=asked["intention"],
                topic=asked["topic"],
                most_minutes=asked["max_minutes"],
                least_minutes=asked["min_minutes"],
            )
        )
        size = asked["page_size"]
        start = (asked["page"] - 1) * size
        results = [practice_json(practice) for practice in found[start : start + size]]
        return Response({"count": found.count(), "page_size": size, "results": results})
