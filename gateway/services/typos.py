"""Likely typos: words that a dictionary does not know, one slip away from a usual one. A program of its own.

A dictionary takes tens of megabytes and up to half a second to load, and Python lets nobody else work for much of that
time. So `gateway.services.spelling` runs this file beside the gateway: it reads questions from its standard input and
writes answers to its standard output, a line of JSON each, and ends with its input or when nobody asks for a while. It
imports nothing of the gateway, so that it is small and starts fast.
"""

from __future__ import annotations

import gzip
import json
import os
import pkgutil
import re
import select
import sys
import unicodedata
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from spellchecker import SpellChecker

#: Of the package's dictionaries those of the languages that this gateway speaks.
LANGUAGES = ("ar", "de", "en", "es", "fr", "it", "nl", "pt")
MOST_LANGUAGES = 2
MOST_TYPOS = 10
#: Whoever sends goes first.
NICENESS = 10
_SHORTEST, _LONGEST = 4, 30
# A text of which more is unknown is in another language.
_UNKNOWN_SHARE = 0.34
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_JOINTS = re.compile(r"['’-]")
# Fields that were not filled in, blanks and all: they have a caution of their own.
_FIELDS = re.compile(r"\{{1,2}[^{}\n]{0,60}\}{1,2}|<{1,2}[^<>\n]{0,40}>{1,2}")
# What only looks like words: links, addresses, codes, fields.
_NO_WORDS = re.compile(r"(?:https?://|www\.)\S+|\S+@\S+|\S*[\d_{}\[\]<>%/\\=#]\S*")
_SENTENCE_END = re.compile(r"[.!?…:\n][\s\"'«»“”()-]*\Z")
# Two blanks, quotes, a bracket: no more is looked at before a word.
_BEFORE = 8
# So often in the dictionary's sources; what it has of a word that is hardly seen in them is 50.
_USUAL = 1000


class Dictionaries:
    """The dictionaries that are loaded. Without the extra `spelling`, or for a language that it does not know, there
    are none, and so no typos."""

    def __init__(self) -> None:
        self._loaded: OrderedDict[str, SpellChecker] = OrderedDict()

    def look(self, text: str, language: str, names: Collection[str] = ()) -> list[tuple[str, str]]:
        """Words with what was probably meant, each once; the words of `names` are right."""
        right = {word.lower() for name in names for word in _TOKEN.findall(name)}
        words = [word for word in dict.fromkeys(_words(text)) if word.lower() not in right]
        checker = self._checker(language) if words and language in LANGUAGES else None
        if checker is None:
            return []
        unknown = [piece for word in words for piece in _unknown_pieces(checker, word)]
        if len(unknown) > 1 and len(unknown) > _UNKNOWN_SHARE * len(words):
            return []
        return list(islice(_corrections(checker, dict.fromkeys(unknown)), MOST_TYPOS))

    @property
    def loaded(self) -> tuple[str, ...]:
        """The languages whose dictionaries are held, the one used last at the end."""
        return tuple(self._loaded)

    def _checker(self, language: str) -> SpellChecker | None:
        """The language's dictionary; the one that was not used for longest is let go for it."""
        found = self._loaded.pop(language, None) or _load(language)
        if found is not None:
            self._loaded[language] = found
        while len(self._loaded) > MOST_LANGUAGES:
            self._loaded.popitem(last=False)
        return found


def _load(language: str) -> SpellChecker | None:
    """None where the extra is not installed. Not by the library's own loading, which holds everything twice."""
    try:
        from spellchecker import SpellChecker  # noqa: PLC0415 - most gateways do without it
    except ImportError:
        return None
    packed = pkgutil.get_data("spellchecker", f"resources/{language}.json.gz")
    if packed is None:
        return None
    checker = SpellChecker(language=None, distance=1)
    checker.word_frequency.load_json(json.loads(gzip.decompress(packed)))
    return checker


def _words(text: str) -> Iterator[str]:
    """The words that a dictionary could know: no links and codes, no names, no abbreviations."""
    plain = text
    for pattern in (_FIELDS, _NO_WORDS):
        plain = pattern.sub(lambda match: "\x00" * len(match[0]), plain)
    plain = unicodedata.normalize("NFC", plain)
    for match in _TOKEN.finditer(plain):
        word = match[0]
        if len(word) > _LONGEST or word.isupper() or (word[0].isupper() and not _begins_sentence(plain, match.start())):
            continue
        yield word


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - _BEFORE) : start]
    return not before.strip() or _SENTENCE_END.search(before) is not None


def _unknown_pieces(checker: SpellChecker, word: str) -> list[str]:
    """What is not known of a word. Of l'hôpital or porte-clés each piece may be known instead of the whole; a capital
    behind the joint begins a name."""
    if word.replace("’", "'") in checker:
        return []
    pieces = [piece for at, piece in enumerate(_JOINTS.split(word)) if at == 0 or not piece[0].isupper()]
    return [piece for piece in pieces if len(piece) >= _SHORTEST and piece not in checker]


def _corrections(checker: SpellChecker, unknown: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Only where a usual word is meant: rare ones are near to anything."""
    for piece in unknown:
        better = checker.correction(piece)
        if better is not None and checker[better] >= _USUAL:
            yield piece, _cased(better, piece)


def _cased(word: str, like: str) -> str:
    return word.capitalize() if like[:1].isupper() else word


def answer_all(questions: IO[bytes], answers: IO[bytes], idle_s: float) -> None:
    """Answer `[text, language, names]` with a list of pairs, line by line, until the input ends or nothing comes for
    `idle_s` seconds. Whoever asks waits for each answer."""
    dictionaries = Dictionaries()
    while select.select([questions], [], [], idle_s)[0]:
        line = questions.readline()
        if not line:
            return
        text, language, names = json.loads(line)
        answers.write(json.dumps(dictionaries.look(text, language, names)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    os.nice(NICENESS)
    answer_all(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]))
