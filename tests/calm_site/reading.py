"""What a person reads of a page, in its German as well."""

import re
from html.parser import HTMLParser

READ_ATTRIBUTES = ("aria-label", "alt", "placeholder", "title", "aria-description")
WORD = re.compile(r"[^\W\d_]{2,}")
# What dates and times say alike in both languages.
IN_DATES = re.compile(r"\b(UTC|Jan|Feb|Apr|April|Jun|Jul|Aug|August|Sep|September|Nov|November)\b")
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


class Reader(HTMLParser):
    """What a person is shown or read of a page: (text, whether it is in the page's language)."""

    def __init__(self) -> None:
        super().__init__()
        self.language = ""
        self.texts: list[tuple[str, bool]] = []
        self.open: list[tuple[str, bool, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "html":
            self.language = values.get("lang") or ""
        is_own, is_silent = self.open[-1][1:] if self.open else (True, False)
        is_own = is_own and values.get("lang") in (None, self.language)
        is_code = "code" in (values.get("class") or "").split()
        is_silent = is_silent or is_code or tag in ("script", "style", "pre")
        for name, value in values.items():
            is_description = tag == "meta" and values.get("name") == "description"
            is_value = name.startswith("data-") and values.get("id") == "script-texts"
            if name in READ_ATTRIBUTES or (is_description and name == "content") or is_value:
                self.add(value or "", is_own)
        if tag not in ("meta", "link", "input", "img", "br", "path", "circle", "rect", "progress"):
            self.open.append((tag, is_own, is_silent))

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        is_own, is_silent = self.open[-1][1:] if self.open else (True, False)
        if not is_silent:
            self.add(data, is_own)

    def add(self, text: str, is_own: bool) -> None:
        if WORD.search(IN_DATES.sub("", text)):
            self.texts.append((" ".join(text.split()), is_own))


def read_page(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    return reader
