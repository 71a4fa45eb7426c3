"""Input that means exactly one thing: unknown fields are refused, types are what they say."""

from collections.abc import Mapping

from django.utils.translation import gettext as _
from rest_framework import serializers


class StrictSerializer(serializers.Serializer):
    """A serializer that refuses fields it does not know instead of ignoring them."""

    def to_internal_value(self, data: object) -> dict[str, object]:
        if isinstance(data, Mapping):
            unknown = set(data) - set(self.fields)
            if unknown:
                raise serializers.ValidationError(
                    {n: [_("Unknown field.")] for n in sorted(unknown)}
                )
        cleaned: dict[str, object] = super().to_internal_value(data)
        return cleaned


class StrictIntegerField(serializers.IntegerField):
    """A JSON number without a fraction; not text, not true or false."""

    def to_internal_value(self, data: object) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            raise serializers.ValidationError(_("A whole number is needed."))
        value: int = super().to_internal_value(data)
        return value
