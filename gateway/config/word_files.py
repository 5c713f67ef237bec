"""Reading the words of replies from the files of `gateway/config/words`, one a language.

Sentences are patterns: `[a|b]` is one of some, `{name}` one of a group of the same file. Every way to say them is
written out once, so that looking one up costs nothing. In what is loose, `...` stands for any words.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import product
from typing import Any

from gateway.config.undress import bare, fold, words_of
from gateway.config.vocabulary import CORE, FAMILIES, YES, Vocabulary, Words, WordSettings

LANGUAGES = ("fr", "en", "de", "nl", "it", "es", "pt", "ar")

_CHOICE = re.compile(r"\[([^\]]*)\]")
_GROUP = re.compile(r"\{(\w+)\}")
_folded = cache(words_of)


@cache
def word_file(language: str) -> Mapping[str, Any]:
    """One language's file as TOML gives it."""
    return tomllib.loads(_octets(language).decode())


@cache
def word_digest() -> str:
    """One word for all files: hosts with others would read replies otherwise."""
    return hashlib.sha256(b"".join(map(_octets, LANGUAGES))).hexdigest()


def _octets(language: str) -> bytes:
    return (resources.files("gateway.config.words") / f"{language}.toml").read_bytes()


def family(language: str, name: str) -> tuple[str, ...]:
    """The words of one family in one language, as they are written."""
    table = word_file(language)[name]
    return (*table["words"], *table.get("alone", ()))


def listened_to(languages: tuple[str, ...] | None) -> dict[str, str]:
    """The words of these languages, and those that always stop, run together; each with its family."""
    heard = LANGUAGES if languages is None else languages
    words = {bare(word): name for name in (*FAMILIES, YES) for language in heard for word in family(language, name)}
    return words | {bare(word): "stop" for word in CORE}


@cache
def vocabulary(settings: WordSettings) -> Vocabulary:
    """What is listened to with these settings. Courtesy is understood in every language."""
    heard = LANGUAGES if settings.languages is None else settings.languages
    families = listened_to(settings.languages)
    words = {word: name for word, name in families.items() if name != YES}
    own = {bare(word): name for name in FAMILIES for word in getattr(settings, name)}
    alone = {bare(word) for language in heard for word in word_file(language)["stop"].get("alone", ())}
    every = [word_file(language)["around"] for language in LANGUAGES]
    apart = [word_file(language)["apart"] for language in LANGUAGES]
    cut = [word_file(language)["cut"] for language in LANGUAGES]
    return Vocabulary(
        words=words | own,
        alone=frozenset(alone - own.keys()),
        yes=frozenset(families.keys() - words.keys()),
        phrases=frozenset(_sentences(heard, "phrases")),
        near=frozenset(_sentences(heard, "near")),
        reasons=frozenset(_sentences(heard, "reasons")),
        loose=tuple(_loose(written) for language in heard for written in word_file(language)["stop"]["loose"]),
        courtesy=frozenset(_all(every, "courtesy")),
        objects=frozenset(_all(every, "objects")),
        kinds=frozenset(_all(every, "kinds")),
        links=_single(every, "links"),
        fillers=_single(every, "fillers"),
        no=_single(every, "no"),
        assent=_single(every, "assent"),
        apart=_single(apart, "words"),
        verbs=_single(apart, "verbs"),
        after=_single(apart, "after"),
        signatures=tuple(fold(line) for table in cut for line in table["signature"]),
        quotes=tuple(fold(line) for table in cut for line in table["quote"]),
    )


def expanded(pattern: str, groups: Mapping[str, list[str]]) -> Iterator[Words]:
    """Every way to say a pattern, as words."""
    parts = _CHOICE.split(pattern)
    choices = [
        [way for written in (part.split("|") if place % 2 else [part]) for way in _filled(written, groups)]
        for place, part in enumerate(parts)
    ]
    return (sum(ways, ()) for ways in product(*choices))


def _filled(written: str, groups: Mapping[str, list[str]]) -> list[Words]:
    """Every way to say something without choices, which may name groups."""
    parts = _GROUP.split(written)
    choices = [[_folded(one) for one in (groups[part] if place % 2 else [part])] for place, part in enumerate(parts)]
    return [sum(ways, ()) for ways in product(*choices)]


def _sentences(languages: Iterable[str], kind: str) -> Iterator[Words]:
    for language in languages:
        document = word_file(language)
        for pattern in document["stop"][kind]:
            yield from expanded(pattern, document.get("groups", {}))


def _loose(written: str) -> tuple[frozenset[str], ...]:
    """The parts of "take|remove ... me|my ... list"."""
    return tuple(frozenset(bare(word) for word in part.split("|")) for part in written.split(" ... "))


def _all(tables: Iterable[Mapping[str, list[str]]], key: str) -> Iterator[Words]:
    return (_folded(written) for table in tables for written in table[key])


def _single(tables: Iterable[Mapping[str, list[str]]], key: str) -> frozenset[str]:
    return frozenset(word for words in _all(tables, key) for word in words)
