"""What apps report: listens and ratings. Without a live yes to storing, nothing is kept."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.interface import Person, person
from recommendations.actions.listening import Heard, NotConsented, rate_practice, record_listens
from recommendations.api.strict import StrictIntegerField, StrictSerializer
from recommendations.models import Practice
from recommendations.selectors.practice import published

MOST_LISTENS = 100
LONGEST_SECONDS = 24 * 60 * 60
CLOCK_SKEW = timedelta(minutes=1)
UUID_TEXT = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)


class StoringNotConsented(PermissionDenied):
    """403 that says which consent is missing."""

    default_detail = gettext_lazy("Nothing was kept: this needs your yes to “Keep my history”.")
    default_code = "consent_missing_listening_store"


class MomentField(serializers.Field):
    """An ISO 8601 moment with its offset, not in the future."""

    def to_internal_value(self, data: object) -> datetime:
        try:
            moment = parse_datetime(data) if isinstance(data, str) else None
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise serializers.ValidationError(_("A moment with its offset is needed (ISO 8601)."))
        try:
            moment = moment.astimezone(UTC)
        except OverflowError:
            raise serializers.ValidationError(_("This moment is out of range.")) from None
        if not EARLIEST <= moment <= timezone.now() + CLOCK_SKEW:
            raise serializers.ValidationError(_("This moment is in the future or too long ago."))
        return moment

    def to_representation(self, value: datetime) -> str:
        return value.isoformat()


class UUIDText(serializers.Field):
    """A UUID in its usual text form."""

    def to_internal_value(self, data: object) -> UUID:
        if not isinstance(data, str) or not UUID_TEXT.fullmatch(data):
            raise serializers.ValidationError(_("A UUID is needed."))
        return UUID(data)

    def to_representation(self, value: UUID) -> str:
        return str(value)


class ListenInput(StrictSerializer):
    id = UUIDText()
    practice = serializers.SlugField(max_length=64)
    started_at = MomentField()
    seconds = StrictIntegerField(min_value=0, max_value=LONGEST_SECONDS)
    position = StrictIntegerField(min_value=0, max_value=LONGEST_SECONDS)


class ShortList(serializers.ListField):
    """A list whose length is looked at before what is in it."""

    def to_internal_value(self, data: object) -> list[object]:
        if isinstance(data, list) and len(data) > MOST_LISTENS:
            raise serializers.ValidationError(
                _("At most %(count)s at a time.") % {"count": MOST_LISTENS}
            )
        cleaned: list[object] = super().to_internal_value(data)  # type: ignore[arg-type]
        return cleaned


class ListensInput(StrictSerializer):
    listens = ShortList(child=ListenInput(), allow_empty=False)


class RatingInput(StrictSerializer):
    practice = serializers.SlugField(max_length=64)
    value = StrictIntegerField(min_value=1, max_value=5)


class ListensView(APIView):
    """`POST` progress of one or more listens. The same id again, with more heard, is the same
    listen going on."""

    def post(self, request: Request) -> Response:
        form = ListensInput(data=request.data)
        form.is_valid(raise_exception=True)
        who = _storing(request)
        reported = form.validated_data["listens"]
        practices = _practices({item["practice"] for item in reported})
        try:
            stored = record_listens(
                who,
                [
                    Heard(
                        id=item["id"],
                        practice=practices[item["practice"]],
                        started_at=item["started_at"],
                        seconds=item["seconds"],
                        position=item["position"],
                    )
                    for item in reported
                ],
            )
        except NotConsented as error:
            raise StoringNotConsented from error
        return Response({"stored": stored})


class RatingsView(APIView):
    """`POST` how a practice left the person, 1 to 5."""

    def post(self, request: Request) -> Response:
        form = RatingInput(data=request.data)
        form.is_valid(raise_exception=True)
        who = _storing(request)
        slug = form.validated_data["practice"]
        try:
            rate_practice(who, _practices({slug})[slug], form.validated_data["value"])
        except NotConsented as error:
            raise StoringNotConsented from error
        return Response({"practice": slug, "value": form.validated_data["value"]})


def _storing(request: Request) -> Person:
    who = person(request._request)
    if not who.can_store:
        raise StoringNotConsented
    return who


def _practices(slugs: set[str]) -> dict[str, Practice]:
    found = {practice.slug: practice for practice in published().filter(slug__in=slugs)}
    if missing := sorted(slugs - set(found)):
        raise serializers.ValidationError(
            {"practice": [_("Unknown: %(names)s.") % {"names": ", ".join(missing)}]}
        )
    return found
