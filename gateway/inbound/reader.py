"""The reader of replies that a configuration asks for."""

from __future__ import annotations

from functools import cache

from gateway.config.settings import Settings
from gateway.config.vocabulary import WordSettings
from gateway.config.word_files import vocabulary
from gateway.rules.keywords import Reader


def reader_of(settings: Settings) -> Reader:
    """The reader of the words that `[replies]` names. Made once for a choice of words, in a third of a second."""
    return _reader(settings.words)


@cache
def _reader(words: WordSettings) -> Reader:
    return Reader(vocabulary(words))
