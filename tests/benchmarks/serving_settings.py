"""The site's own settings, with one address more: the empty view that shelves are measured by."""

from calm_site.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.serving_urls"
