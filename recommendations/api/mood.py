"""Check-ins for apps. Without a live yes to `mood:store` none is kept; what is there can always be
read and deleted by its person."""

from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.interface import KeyUnavailable, person
from recommendations.actions.listening import NotConsented
from recommendations.actions.mood import CheckInTaken, Felt, check_in, delete_check_ins
from recommendations.api.listening import MomentField, UUIDText
from recommendations.api.strict import StrictIntegerField, StrictSerializer
from recommendations.models import CheckIn, Label, Moment, Practice
from recommendations.models.mood import LONGEST_NOTE, MOST_LABELS, is_plain_note
from recommendations.selectors.mood import Words, check_ins_of, words_of
from recommendations.selectors.practice import published

LARGEST_PAGE = 100
LAST_PAGE = 1_000_000


class MoodNotConsented(PermissionDenied):
    """403 that says which consent is missing."""

    default_detail = gettext_lazy(
        "Nothing was kept: this needs your explicit yes to “Keep my check-ins”."
    )
    default_code = "consent_missing_mood_store"


class Taken(APIException):
    """422: the id was used for something else."""

    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_detail = gettext_lazy(
        "A check-in with this id says something else. Nothing was changed."
    )
    default_code = "check_in_taken"


class KeyMissing(APIException):
    """503: what may not be stored readable cannot be stored at all."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = gettext_lazy(
        "Nothing was kept: the words cannot be encrypted just now. Try again later."
    )
    default_code = "key_unavailable"


class NoteText(serializers.CharField):
    """Plain text of several lines; its errors never repeat it."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError(_("A note is text."))
        text: str = super().to_internal_value(data)
        return text.replace("\r\n", "\n").replace("\r", "\n")


class CheckInInput(StrictSerializer):
    id = UUIDText()
    practice = serializers.SlugField(max_length=64, required=False, allow_null=True, default=None)
    moment = serializers.ChoiceField(choices=Moment.choices, required=False, default=Moment.NONE)
    valence = StrictIntegerField(min_value=-2, max_value=2)
    energy = StrictIntegerField(min_value=-2, max_value=2)
    labels = serializers.ListField(
        child=serializers.ChoiceField(choices=Label.choices),
        required=False,
        max_length=MOST_LABELS,
        default=list,
    )
    note = NoteText(
        required=False,
        allow_blank=True,
        trim_whitespace=False,
        max_length=LONGEST_NOTE,
        validators=[is_plain_note],
        default="",
    )
    at = MomentField()

    def validate_labels(self, value: list[str]) -> tuple[Label, ...]:
        if len(set(value)) != len(value):
            raise serializers.ValidationError(_("Each word once."))
        return tuple(label for label in Label if label in value)

    def validate_practice(self, value: str | None) -> Practice | None:
        if value is None:
            return None
        practice = published().filter(slug=value).first()
        if practice is None:
            raise serializers.ValidationError(_("There is no such practice."))
        return practice

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if (attrs["practice"] is None) != (attrs["moment"] == Moment.NONE):
            raise serializers.ValidationError(
                {"moment": [_("“before” or “after” with a practice, “none” without one.")]}
            )
        return attrs

    def felt(self) -> Felt:
        """What was said, once it is valid."""
        said = self.validated_data
        return Felt(
            id=said["id"],
            practice=said["practice"],
            moment=said["moment"],
            valence=said["valence"],
            energy=said["energy"],
            words=Words(said["labels"], said["note"]),
            at=said["at"],
        )


class CheckInsQuery(StrictSerializer):
    page = serializers.IntegerField(required=False, min_value=1, max_value=LAST_PAGE, default=1)
    page_size = serializers.IntegerField(required=False, min_value=1, default=24)

    def validate_page_size(self, value: int) -> int:
        return min(value, LARGEST_PAGE)


def check_in_json(own: CheckIn) -> dict[str, object]:
    """A check-in as its person's app sees it; without the key, its words are null."""
    words = words_of(own)
    return {
        "id": str(own.pk),
        "practice": own.practice.slug if own.practice else None,
        "moment": own.moment,
        "valence": own.valence,
        "energy": own.energy,
        "labels": [label.value for label in words.labels] if words else None,
        "note": words.note if words else None,
        "at": own.at.isoformat(),
    }


class CheckInsView(APIView):
    """`POST` a check-in, `GET` them, newest first, `DELETE` all of them. A page size beyond the
    limit is the limit."""

    def post(self, request: Request) -> Response:
        who = person(request._request)
        # Before anything that was sent is looked at: without a yes, none of it is our business.
        if not who.can_store_mood:
            raise MoodNotConsented
        form = CheckInInput(data=request.data)
        form.is_valid(raise_exception=True)
        try:
            kept, is_new = check_in(who, form.felt())
        except NotConsented as error:
            raise MoodNotConsented from error
        except CheckInTaken as error:
            raise Taken from error
        except KeyUnavailable as error:
            raise KeyMissing from error
        return Response(
            check_in_json(kept), status=status.HTTP_201_CREATED if is_new else status.HTTP_200_OK
        )

    def get(self, request: Request) -> Response:
        query = CheckInsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound(_("This account has no personal data."))
        found = check_ins_of(subject_id)
        size = query.validated_data["page_size"]
        start = (query.validated_data["page"] - 1) * size
        results = [check_in_json(own) for own in found[start : start + size]]
        return Response({"count": found.count(), "page_size": size, "results": results})

    def delete(self, request: Request) -> Response:
        who = person(request._request)
        deleted = delete_check_ins(who, CheckIn.objects.all()) if who.subject_id else 0
        return Response({"deleted": deleted})


class CheckInView(APIView):
    """`DELETE` one check-in; somebody else's is not there."""

    def delete(self, request: Request, pk: UUID) -> Response:
        who = person(request._request)
        if not (who.subject_id and delete_check_ins(who, CheckIn.objects.filter(pk=pk))):
            raise NotFound(_("There is no such check-in."))
        return Response(status=status.HTTP_204_NO_CONTENT)
