"""What the templates say about practices."""

from typing import Protocol

from django import template
from django.utils.safestring import SafeString

from recommendations.landscape import landscape_svg

register = template.Library()


class Pictured(Protocol):
    """A practice, as far as its picture needs it."""

    slug: str
    kind: str


@register.simple_tag
def landscape(practice: Pictured) -> SafeString:
    """Draw the practice's picture. The kind is one of ours; the slug is not in the markup."""
    return SafeString(landscape_svg(practice.slug, practice.kind))


@register.filter
def clock(seconds: float) -> str:
    """Seconds from the start as a player shows them: 250 is 4:10."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02d}"
