"""Reading and changing one's consent."""

from django.utils import timezone
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from privacy_center.actions.consent import ConsentRefused, choose_preset, decide
from privacy_center.interface import person
from privacy_center.models import Decision, Method
from privacy_center.purposes import OFFERED, PRESETS, Purpose, preset_of
from privacy_center.selectors.consent import consent_states


class ConsentInput(serializers.Serializer):
    """Either a preset or wishes by purpose."""

    preset = serializers.ChoiceField(choices=[p.key for p in PRESETS], required=False)
    purposes = serializers.DictField(child=serializers.JSONField(), required=False)

    def to_internal_value(self, data: object) -> dict[str, object]:
        unknown = set(data) - set(self.fields) if isinstance(data, dict) else set()
        if unknown:
            raise serializers.ValidationError({name: ["Unknown field."] for name in unknown})
        cleaned: dict[str, object] = super().to_internal_value(data)
        return cleaned

    def validate_purposes(self, value: dict[str, object]) -> dict[Purpose, bool]:
        if not set(value) <= set(Purpose):
            raise serializers.ValidationError("Unknown purpose.")
        if not all(isinstance(wish, bool) for wish in value.values()):
            raise serializers.ValidationError("Each purpose is true or false.")
        return {Purpose(name): wish is True for name, wish in value.items()}

    def validate(self, attrs: dict[str, object]) -> dict[str, object]:
        if ("preset" in attrs) == ("purposes" in attrs):
            raise serializers.ValidationError("Send either a preset or purposes.")
        return attrs


class ConsentView(APIView):
    """`GET` the current answers, `PATCH` to change them."""

    def get(self, request: Request) -> Response:
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound("This account has no personal data.")
        states = consent_states(subject_id)
        given = [p for p, state in states.items() if state.decision == Decision.GIVEN]
        preset = preset_of(given)
        return Response(
            {
                "preset": preset.key if preset else None,
                "purposes": {
                    purpose.value: {
                        "is_given": purpose in given,
                        "is_offered": purpose in OFFERED,
                        "since": states[purpose].since if purpose in states else None,
                    }
                    for purpose in Purpose
                },
            }
        )

    def patch(self, request: Request) -> Response:
        subject_id = person(request._request).subject_id
        if subject_id is None:
            raise NotFound("This account has no personal data.")
        form = ConsentInput(data=request.data)
        form.is_valid(raise_exception=True)
        chosen = form.validated_data
        at = timezone.now()
        try:
            if "preset" in chosen:
                preset = next(p for p in PRESETS if p.key == chosen["preset"])
                choose_preset(subject_id, preset, method=Method.API, at=at)
            else:
                decide(subject_id, chosen["purposes"], method=Method.API, at=at)
        except ConsentRefused as refusal:
            raise serializers.ValidationError({"purposes": [str(refusal)]}) from refusal
        return self.get(request)
