"""The home page's shelves for an app, with the reason for every card."""

from django.utils import timezone
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.interface import person
from recommendations.api.practice import practice_json
from recommendations.api.strict import StrictSerializer
from recommendations.models import Intention
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
        query = ShelvesQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        who = person(request._request)
        shown = shelves(
            who,
            now=timezone.now(),
            intention=Intention(asked["intention"]) if asked["intention"] else None,
            utc_offset_minutes=asked["utc_offset_minutes"],
        )
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
                            {**practice_json(card.practice), "why": card.why}
                            for card in shelf.cards
                        ],
                    }
                    for shelf in shown
                ],
            }
        )
