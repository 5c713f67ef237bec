"""Reading which words of replies are listened to: `languages`, and the owner's own words, of `[replies]`."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from gateway.config.shapes import Shape, Wrong, listed, one_of, text
from gateway.config.table import Table
from gateway.config.undress import bare
from gateway.config.vocabulary import FAMILIES, YES, WordSettings
from gateway.config.word_files import LANGUAGES, listened_to

_LONGEST_WORD = 40


def read_reply_words(replies: Table) -> WordSettings:
    """The words of the table `[replies]`; none is in two families."""
    languages = replies.take("languages", _languages, None)
    # Looked up only where a word is written: most files have none, and every command reads the configuration.
    families = cache(lambda: listened_to(languages))
    own = {family: replies.take(f"{family}_words", _words_of(family, families), ()) for family in FAMILIES}
    return WordSettings(languages, **own)


def _languages(value: object) -> tuple[str, ...]:
    languages = listed(one_of(*LANGUAGES))(value)
    if not languages:
        raise Wrong("must name at least one language")
    return languages


def _words_of(family: str, families: Callable[[], dict[str, str]]) -> Shape[tuple[str, ...]]:
    """Words of one family; `families` gives whose the words are that are taken, and it learns these."""

    def one(value: object) -> str:
        word = text(value)
        if len(word) > _LONGEST_WORD:
            raise Wrong(f"is longer than {_LONGEST_WORD} characters")
        if not (key := bare(word)):
            raise Wrong("has no letter and no digit")
        other = families().setdefault(key, family)
        if other == YES:
            raise Wrong("is a yes, which counts only while a double opt-in is open")
        if other != family:
            raise Wrong(f"is a word of the family {other.upper()}")
        return word

    return listed(one)
