"""The history, to be taken to the person's own device."""

from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.interface import person
from recommendations.selectors.take_home import take_home


class HistoryView(APIView):
    """`GET` everything that is kept of one's listening: listens, favorites, ratings, positions, and
    the cards of the practices. It needs no live consent: what is there is the person's own."""

    def get(self, request: Request) -> Response:
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound(_("This account has no personal data."))
        return Response(vars(take_home(subject_id)))
