"""Pictures: the same for a practice every time, never two alike, small, and free of collisions."""

import re
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
from django.template import Context, Template

from recommendations.catalog import read_catalog
from recommendations.landscape import SCENES, landscape_svg

SLUGS = [f"practice-{number}" for number in range(500)]
KINDS = sorted(SCENES)


@pytest.mark.parametrize("kind", KINDS)
def test_no_two_of_500_pictures_are_alike(kind: str) -> None:
    shapes = {re.sub(r'class="[^"]*"', "", landscape_svg(slug, kind)) for slug in SLUGS}
    assert len(shapes) == len(SLUGS)


def test_no_two_pictures_of_the_catalog_are_alike() -> None:
    catalog = read_catalog()
    assert len({landscape_svg(entry.slug, entry.kind) for entry in catalog}) == len(catalog)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_the_same_every_time(kind: str) -> None:
    assert landscape_svg("steady-rain", kind) == landscape_svg("steady-rain", kind)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_takes_about_a_kilobyte_at_most(kind: str) -> None:
    assert max(len(landscape_svg(slug, kind)) for slug in SLUGS) <= 1024


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_sound_svg_that_screen_readers_skip(kind: str) -> None:
    for slug in SLUGS[:50]:
        root = ElementTree.fromstring(landscape_svg(slug, kind))  # noqa: S314 - our own drawing
        assert root.get("aria-hidden") == "true"
        assert kind in str(root.get("class")).split()


@pytest.mark.parametrize("kind", KINDS)
def test_sixty_pictures_share_a_page_without_ids_or_styles_that_the_policy_refuses(
    kind: str,
) -> None:
    page = "".join(landscape_svg(slug, kind) for slug in SLUGS[:60])
    assert not re.search(r"\s(id|style|on\w+)=|url\(|<style|<script", page)


def test_kinds_have_marks_of_their_own() -> None:
    """Rings for breathing, a path for guided pieces, a lit window for stories, else the weather."""
    marks = {"breathing": 'class="r r1"', "guided": 'class="p"', "story": 'class="h"'}
    for kind in KINDS:
        drawn = [landscape_svg(slug, kind) for slug in SLUGS[:100]]
        for owner, mark in marks.items():
            assert all((mark in picture) == (owner == kind) for picture in drawn), (kind, owner)


def test_a_telling_word_in_the_slug_decides_the_weather() -> None:
    assert 'class="s"' in landscape_svg("steady-rain", "soundscape")
    assert 'class="w"' in landscape_svg("hearth-fire", "soundscape")


def test_the_template_tag_draws_the_practice() -> None:
    practice = SimpleNamespace(slug="steady-rain", kind="soundscape")
    drawn = Template("{% load practices %}{% landscape practice %}").render(
        Context({"practice": practice})
    )
    assert drawn == landscape_svg("steady-rain", "soundscape")


@pytest.mark.parametrize(("seconds", "shown"), [(0, "0:00"), (59.9, "0:59"), (250, "4:10")])
def test_seconds_are_shown_like_a_clock(seconds: float, shown: str) -> None:
    drawn = Template("{% load practices %}{{ seconds|clock }}").render(
        Context({"seconds": seconds})
    )
    assert drawn == shown
