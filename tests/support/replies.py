"""The table of replies (`tests/vectors/replies.toml`), what is made of it, and the tables of the documentation."""

from __future__ import annotations

import tomllib
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

from gateway.config.vocabulary import FAMILIES, YES, WordSettings
from gateway.config.word_files import LANGUAGES, vocabulary, word_file
from gateway.rules.keywords import Reader, Reading

_FILE = Path(__file__).resolve().parents[1] / "vectors" / "replies.toml"
TABLE: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
#: The tables of the file that hold replies by what they ask for.
GROUPS = ("dressed", *LANGUAGES, "mixed")
NAMES = {
    "fr": "French", "en": "English", "de": "German", "nl": "Dutch", "it": "Italian", "es": "Spanish",
    "pt": "Portuguese", "ar": "Arabic", "dressed": "STOP in every dress", "mixed": "all, written later",
}  # fmt: skip
ASKING = ("stop", "near")


@cache
def reader() -> Reader:
    """The reader of a gateway whose owner configured no words."""
    return Reader(vocabulary(WordSettings()))


def kind(reading: Reading) -> str:
    """A reading as the table of replies would say it."""
    if reading.keyword is not None:
        return reading.keyword.value
    return "near" if reading.near is not None else "none"


@cache
def counted(group: str) -> Counter[tuple[str, str]]:
    """How often replies of one kind were read as another; `yes` is read with a double opt-in open, as START."""
    found: Counter[tuple[str, str]] = Counter()
    for label, replies in TABLE[group].items():
        for reply in replies:
            read = kind(reader().read(reply, optin_open=label == YES))
            found["start" if label == YES else label, read] += 1
    return found


def share(found: Counter[tuple[str, str]], labels: tuple[str, ...], reads: tuple[str, ...]) -> tuple[int, int]:
    """How many replies of these kinds were read as one of `reads`, and how many there are."""
    mine = {pair: count for pair, count in found.items() if pair[0] in labels}
    return sum(count for pair, count in mine.items() if pair[1] in reads), sum(mine.values())


def precision(found: Counter[tuple[str, str]], label: str) -> tuple[int, int]:
    """How many replies that were read as `label` are of that kind, and how many were."""
    mine = {pair: count for pair, count in found.items() if pair[1] == label}
    return sum(count for pair, count in mine.items() if pair[0] == label), sum(mine.values())


def figures() -> str:
    """The table of figures as the documentation shows it."""
    lines = [
        "| replies | asking to stop | read as STOP, rightly | STOP or near | START | HELP | ordinary | left alone |",
        "|---|---|---|---|---|---|---|---|",
    ]
    total: Counter[tuple[str, str]] = Counter()
    for group in GROUPS:
        total += counted(group)
        lines.append(_row(NAMES[group], counted(group)))
    return "\n".join([*lines, _row("**all**", total)])


def _row(name: str, found: Counter[tuple[str, str]]) -> str:
    asking = share(found, ASKING, ASKING)
    cells = [
        str(asking[1]),
        _of(precision(found, "stop")),
        _of(asking),
        _of(share(found, ("start",), ("start",))),
        _of(share(found, ("help",), ("help",))),
        str(share(found, ("none",), ())[1]),
        _of(share(found, ("none",), ("none",))),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def _of(pair: tuple[int, int]) -> str:
    part, whole = pair
    return f"{part} of {whole}, {100 * part / whole:.1f} %" if whole else ""


def word_tables() -> str:
    """Every word of every family and language, with its source, as the documentation shows them."""
    lines = ["| language | family | words | only alone | source |", "|---|---|---|---|---|"]
    for language in LANGUAGES:
        for family in (*FAMILIES, YES):
            table = word_file(language)[family]
            words, alone = (", ".join(table.get(key, ())) for key in ("words", "alone"))
            lines.append(f"| {NAMES[language]} | {family.upper()} | {words} | {alone} | {table['source']} |")
    return "\n".join(lines)
