"""Collects the texts to translate and brings every catalog up to date, without GNU gettext.

Django's own command of this name calls `xgettext`, which a bare machine does not have.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from io import SEEK_END, BytesIO
from pathlib import Path
from typing import Any

from babel.messages import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.translation.template import templatize

APPS = ("calm_site", "privacy_center", "recommendations")
LOCALE_DIR = settings.BASE_DIR / "calm_site" / "locale"
LINE_WIDTH = 100
KEYWORDS: dict[str, Any] = {
    **dict.fromkeys(["_", "gettext", "gettext_lazy", "gettext_noop"]),
    **dict.fromkeys(["ngettext", "ngettext_lazy"], (1, 2)),
    **dict.fromkeys(["pgettext", "pgettext_lazy"], ((1, "c"), 2)),
    **dict.fromkeys(["npgettext", "npgettext_lazy"], ((1, "c"), 2, 3)),
}
# Texts of allauth that people meet here, and whose own German says "Sie" or is not quite German.
# A catalog of ours goes before those of the packages.
BORROWED = (
    "Use your password",
    "Use authenticator app or code",
    "Use a security key",
    "You cannot add an email address to an account protected by two-factor authentication.",
    "You cannot deactivate two-factor authentication.",
    "You cannot generate recovery codes without having two-factor authentication enabled.",
    "You cannot activate two-factor authentication until you have verified your email address.",
    "The new value must be different from the current one.",
    "You must type the same password each time.",
    "Invalid or expired key.",
)
# A catalog changes when a text does, and not because a day has passed.
NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
HEADER = """msgid ""
msgstr ""
"Language: {catalog.locale}\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: {catalog.plural_forms}\\n"

"""


def sources() -> Iterator[Path]:
    """Every file that may hold a text for people, in a fixed order; the staff pages are English."""
    for app in APPS:
        for file in sorted((settings.BASE_DIR / app).rglob("*")):
            if "admin" in file.parts:
                continue
            is_template = "templates" in file.parts and file.suffix in (".html", ".txt")
            is_module = file.suffix == ".py" and "migrations" not in file.parts
            if is_template or is_module:
                yield file


def collected() -> Catalog:
    """Every text that the code and the templates mark, without translations."""
    catalog = Catalog()
    for file in sources():
        code = file.read_text(encoding="utf-8")
        if file.suffix != ".py":
            code = _as_python(code)
        place = str(file.relative_to(settings.BASE_DIR))
        for _line, message, _comments, context in extract(
            "python", BytesIO(code.encode()), keywords=KEYWORDS, options={"encoding": "utf-8"}
        ):
            catalog.add(message, locations=[(place, 1)], context=context)
    for message in BORROWED:
        catalog.add(message, locations=[("allauth", 1)])
    return catalog


def _as_python(template: str) -> str:
    """Calls of gettext in place of a template's tags. Python minds how a line begins."""
    lines = templatize(template).splitlines()
    return "\n".join(re.sub(r"\s", " ", line).strip() for line in lines)


def files(language: str) -> tuple[Path, Path]:
    """A language's catalog, as people edit it and as the site reads it."""
    folder = LOCALE_DIR / language / "LC_MESSAGES"
    return folder / "django.po", folder / "django.mo"


def read(language: str) -> Catalog:
    """A language's catalog as it is, empty for a new language."""
    path, _compiled = files(language)
    text = path.read_bytes() if path.exists() else b""
    return read_po(BytesIO(text), locale=language)


def write(catalog: Catalog, language: str) -> None:
    """Both files of a language."""
    path, compiled = files(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(edited(catalog))
    compiled.write_bytes(as_compiled(catalog))


def edited(catalog: Catalog) -> bytes:
    """The catalog as people edit it: the newest texts, where each is, and nothing that is gone."""
    file = BytesIO(HEADER.format(catalog=catalog).encode())
    file.seek(0, SEEK_END)
    write_po(
        file,
        catalog,
        width=LINE_WIDTH,
        omit_header=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    return file.getvalue()


def as_compiled(catalog: Catalog) -> bytes:
    """The catalog as the site reads it."""
    catalog.creation_date = catalog.revision_date = NO_DATE
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def _is_translated(message: Message) -> bool:
    """Whether it says something, for every number if it counts."""
    text = message.string
    return all(text) if isinstance(text, list | tuple) else bool(text)


class Command(BaseCommand):
    help = "Collect the texts to translate, update every language's .po and compile its .mo."

    def handle(self, *args: object, **options: object) -> None:
        found = collected()
        for language, _name in settings.LANGUAGES:
            if language == settings.LANGUAGE_CODE:
                continue
            catalog = read(language)
            catalog.update(found, no_fuzzy_matching=True)
            write(catalog, language)
            missing = sum(not _is_translated(message) for message in catalog if message.id)
            self.stdout.write(f"{language}: {len(catalog)} texts, {missing} not translated yet.")
