"""Reading and changing one's consent."""

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.actions.consent import (
    ConsentRefused,
    NoticeOutdated,
    choose_preset,
    decide,
)
from privacy_center.gpc import has_signal
from privacy_center.interface import person
from privacy_center.models import Method
from privacy_center.purposes import OFFERED, PRESETS, Purpose, preset_of
from privacy_center.selectors.consent import consent_states, purposes_in_force
from privacy_center.selectors.gpc import opt_out_of
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices


class Outdated(APIException):
    """Input 34: a yes to words that are not the live ones."""

    status_code = 409
    default_detail = gettext_lazy(
        "A yes names the version of each notice that was shown, and it must be the live one. "
        "Nothing was changed: read the notices again."
    )


class ConsentInput(serializers.Serializer):
    """Either a preset or wishes by purpose, and for every yes the version of the notice shown."""

    preset = serializers.ChoiceField(choices=[p.key for p in PRESETS], required=False)
    purposes = serializers.DictField(child=serializers.JSONField(), required=False)
    notices = serializers.DictField(child=serializers.JSONField(), required=False)

    def to_internal_value(self, data: object) -> dict[str, object]:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({name: [_("Unknown field.")] for name in unknown})
        cleaned: dict[str, object] = super().to_internal_value(data)
        return cleaned

    def validate_purposes(self, value: dict[str, object]) -> dict[Purpose, bool]:
        if not set(value) <= set(Purpose):
            raise serializers.ValidationError(_("Unknown purpose."))
        if not all(isinstance(wish, bool) for wish in value.values()):
            raise serializers.ValidationError(_("Each purpose is true or false."))
        return {Purpose(name): wish is True for name, wish in value.items()}

    def validate_notices(self, value: dict[str, object]) -> dict[Purpose, int]:
        if not set(value) <= set(Purpose):
            raise serializers.ValidationError(_("Unknown purpose."))
        # `type`, since True is an int as well.
        versions = {
            Purpose(n): v for n, v in value.items() if isinstance(v, int) and type(v) is int
        }
        if len(versions) < len(value) or any(version < 1 for version in versions.values()):
            raise serializers.ValidationError(_("Each version is a whole number from 1."))
        return versions

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if ("preset" in attrs) == ("purposes" in attrs):
            raise serializers.ValidationError(_("Send either a preset or purposes."))
        return attrs


class ConsentView(APIView):
    """`GET` the current answers, `PATCH` to change them."""

    def get(self, request: Request) -> Response:
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound(_("This account has no personal data."))
        states = consent_states(subject_id)
        given = purposes_in_force(subject_id)
        notices = live_notices()
        preset = preset_of(given)
        opt_out = opt_out_of(states.values())
        return Response(
            {
                "preset": preset.key if preset else None,
                "gpc": {
                    "is_signaled": has_signal(request._request),
                    "is_opted_out": opt_out.is_on,
                    "since": opt_out.since,
                },
                "purposes": {
                    purpose.value: {
                        "is_given": purpose in given,
                        "is_offered": purpose in OFFERED,
                        "notice": notices[purpose].version,
                        "since": states[purpose].since if purpose in states else None,
                    }
                    for purpose in Purpose
                },
            }
        )

    def patch(self, request: Request) -> Response:
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound(_("This account has no personal data."))
        form = ConsentInput(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = form.validated_data
        shown: dict[Purpose, int] = chosen.get("notices", {})
        at, language = timezone.now(), get_language() or FIRST_LANGUAGE
        try:
            if "preset" in chosen:
                preset = next(p for p in PRESETS if p.key == chosen["preset"])
                choose_preset(
                    subject_id,
                    preset,
                    method=Method.API,
                    at=at,
                    language=language,
                    shown=shown,
                )
            else:
                decide(
                    subject_id,
                    chosen["purposes"],
                    method=Method.API,
                    at=at,
                    language=language,
                    shown=shown,
                )
        except ConsentRefused as refusal:
            raise serializers.ValidationError({"purposes": [str(refusal)]}) from refusal
        except NoticeOutdated as error:
            raise Outdated from error
        return self.get(request)
