"""The catalog as it stands in the repository: one readable TOML file a practice.

Reading it needs no database. `docs/catalog.md` describes the format for those who write.
"""

import hashlib
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

FOLDER = Path(__file__).parent

# A calm reader speaks about 114 words a minute and breathes between lines.
WORDS_PER_SECOND = 1.9
BREATH_SECONDS = 1.5
SHORTEST_LINE_SECONDS = 2.0

KINDS = ("soundscape", "breathing", "guided", "story")
INTENTIONS = ("sleep", "calm", "focus", "ease", "morning")
VOICES = ("", "low", "warm", "clear")

_PAUSE = re.compile(r"\((\d{1,3})\)")


class CatalogError(Exception):
    """A file of the catalog is wrong. The message names the file and says what to mend."""


@dataclass(frozen=True)
class Entry:
    """One practice of the catalog; `content` is what the player needs, by kind."""

    slug: str
    title: str
    summary: str
    kind: str
    intention: str
    topics: tuple[str, ...]
    seconds: int
    content: dict[str, object]
    voice: str = ""
    soundscape: str = ""
    place: int = field(default=0)

    @property
    def digest(self) -> str:
        """SHA-256, hex, of all that the file and the editors' order say."""
        return hashlib.sha256(repr(self).encode()).hexdigest()


def read_catalog(folder: Path = FOLDER) -> list[Entry]:
    """Every practice, soundscapes first (others refer to them), by kind and slug.

    `place` is the editors' order: what `order.toml` puts first, then kinds in turn, so that
    every shelf is mixed.
    """
    files = sorted(folder.glob("*/*.toml"))
    entries = [_read(file) for file in files]
    soundscapes = {entry.slug for entry in entries if entry.kind == "soundscape"}
    seen: set[str] = set()
    for entry in entries:
        if entry.slug in seen:
            raise CatalogError(f"{entry.slug}: two files have this name.")
        seen.add(entry.slug)
        if entry.soundscape and entry.soundscape not in soundscapes:
            raise CatalogError(f"{entry.slug}: there is no soundscape {entry.soundscape!r}.")
    placed = _placed(entries, first=_first(folder / "order.toml", {e.slug for e in entries}))
    return sorted(placed, key=lambda e: (KINDS.index(e.kind), e.slug))


def timed_lines(script: str) -> list[dict[str, object]]:
    """The lines of a script with the second each begins and how long it is spoken.

    A line `(N)` is a pause of N seconds.
    """
    at = 0.0
    lines: list[dict[str, object]] = []
    for raw in script.strip().splitlines():
        text = raw.strip()
        if not text:
            continue
        if pause := _PAUSE.fullmatch(text):
            at += int(pause[1])
            continue
        seconds = max(SHORTEST_LINE_SECONDS, len(text.split()) / WORDS_PER_SECOND)
        lines.append({"at": round(at, 1), "text": text, "seconds": round(seconds, 1)})
        at += seconds + BREATH_SECONDS
    if not lines:
        raise ValueError("the script has no line to speak")
    return lines


def script_seconds(script: str) -> int:
    """How long a script takes, its last pause included."""
    pauses = sum(int(m[1]) for line in script.splitlines() if (m := _PAUSE.fullmatch(line.strip())))
    lines = timed_lines(script)
    spoken = sum(float(str(line["seconds"])) + BREATH_SECONDS for line in lines)
    return round(pauses + spoken)


def pattern_seconds(pattern: list[list[object]], rounds: int) -> int:
    """How long `rounds` of a breathing pattern take."""
    return round(rounds * sum(float(str(step[1])) for step in pattern))


def _first(file: Path, known: set[str]) -> list[str]:
    if not file.exists():
        return []
    first = tomllib.loads(file.read_text("utf-8")).get("first", [])
    if unknown := [slug for slug in first if slug not in known]:
        raise CatalogError(f"{file.name}: there is no practice {unknown[0]!r}.")
    return list(first)


def _placed(entries: list[Entry], *, first: list[str]) -> Iterator[Entry]:
    turns = dict.fromkeys(KINDS, 0)
    for entry in entries:
        if entry.slug in first:
            yield replace(entry, place=first.index(entry.slug))
            continue
        turn = turns[entry.kind] * len(KINDS) + KINDS.index(entry.kind)
        turns[entry.kind] += 1
        yield replace(entry, place=len(first) + turn)


def _read(file: Path) -> Entry:
    try:
        data = tomllib.loads(file.read_text("utf-8"))
        return _entry(file.stem, data)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValueError, KeyError, TypeError) as error:
        raise CatalogError(f"{file.parent.name}/{file.name}: {error!s}") from error


def _entry(slug: str, data: dict[str, object]) -> Entry:
    kind = _one_of(data, "kind", KINDS)
    content, seconds = _content(kind, data)
    topics = data["topics"]
    if not isinstance(topics, list) or not 1 <= len(topics) <= 3:
        raise ValueError("topics must be a list of one to three words")
    return Entry(
        slug=slug,
        title=_text(data, "title", 80),
        summary=_text(data, "summary", 140),
        kind=kind,
        intention=_one_of(data, "intention", INTENTIONS),
        topics=tuple(str(topic) for topic in topics),
        seconds=seconds,
        content=content,
        voice=_one_of(data, "voice", VOICES) if "voice" in data else "",
        soundscape=str(data.get("soundscape", "")),
    )


def _content(kind: str, data: dict[str, object]) -> tuple[dict[str, object], int]:
    if kind == "soundscape":
        return {"layers": data["layers"]}, int(str(data["minutes"])) * 60
    if kind == "breathing":
        pattern, rounds = data["pattern"], int(str(data["rounds"]))
        if not isinstance(pattern, list):
            raise TypeError("pattern must be a list of [word, seconds]")
        content: dict[str, object] = {"pattern": pattern, "rounds": rounds}
        return content, pattern_seconds(pattern, rounds)
    script = str(data["script"])
    return {"lines": timed_lines(script)}, script_seconds(script)


def _text(data: dict[str, object], key: str, limit: int) -> str:
    value = data[key]
    if not isinstance(value, str) or not value.strip() or len(value) > limit:
        raise ValueError(f"{key} must be a text of at most {limit} characters")
    return value


def _one_of(data: dict[str, object], key: str, allowed: tuple[str, ...]) -> str:
    value = data[key]
    if value not in allowed:
        raise ValueError(f"{key} must be one of {', '.join(a for a in allowed if a)}")
    return str(value)
