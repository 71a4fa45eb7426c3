"""What changed between two versions of a notice, word by word."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy_center.models import Notice


class Change(StrEnum):
    """What became of some words."""

    SAME = "same"
    ADDED = "added"
    REMOVED = "removed"


@dataclass(frozen=True)
class Words:
    """Neighboring words with the same fate."""

    change: Change
    text: str


@dataclass(frozen=True)
class Difference:
    """One part of the notice that reads otherwise than before; `language` is empty for facts."""

    title: Promise | str
    language: str
    words: Sequence[Words]


TEXTS: Mapping[str, Promise] = {
    "title": _("Title"),
    "sentence": _("What happens"),
    "statement": _("What a person says yes to"),
}
FACTS: Mapping[str, Promise] = {
    "data": _("Data"),
    "legal_basis": _("Legal basis"),
    "special_category": _("Special category of data"),
    "retention": _("Kept for"),
    "valid_days": _("Days until a yes ends"),
}


def word_changes(before: str, after: str) -> list[Words]:
    """The words of both texts in reading order, each marked as same, added or removed."""
    old, new = before.split(), after.split()
    found: list[Words] = []
    for _tag, i, j, k, m in SequenceMatcher(a=old, b=new, autojunk=False).get_opcodes():
        if old[i:j] == new[k:m]:
            found.append(Words(Change.SAME, " ".join(old[i:j])))
            continue
        if old[i:j]:
            found.append(Words(Change.REMOVED, " ".join(old[i:j])))
        if new[k:m]:
            found.append(Words(Change.ADDED, " ".join(new[k:m])))
    return found


def notice_differences(before: Notice, after: Notice) -> list[Difference]:
    """Every part that differs: the texts by language first, then the facts."""
    old, new = _parts(before), _parts(after)
    return [
        Difference(_TITLES.get(name, name), language, word_changes(was, now))
        for language, name in {**new, **old}
        if (was := old.get((language, name), "")) != (now := new.get((language, name), ""))
    ]


_TITLES: Mapping[str, Promise | str] = {**TEXTS, **FACTS}


def _parts(notice: Notice) -> dict[tuple[str, str], str]:
    """Language and name of each part, and what it says."""
    texts = {
        (text.language, name): str(getattr(text, name))
        for text in notice.texts.all()
        for name in TEXTS
    }
    facts = {**notice.processing, "valid_days": notice.valid_days}
    return texts | {("", name): _said(value) for name, value in facts.items()}


def _said(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    return str(value)
