"""What the gateway says by itself, in its language and as the owner wrote it; and knowing it when it comes back."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.config.reply_texts import TEXTS
from gateway.config.settings import Settings
from gateway.config.undress import bare

_ENGLISH = "en"
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")
_NAMED = "{sender_name}: "
# The label of a category, with what goes where there is none.
_LABELLED = re.compile(r" ?(?:\(\{category\}\)|\{category\})")
# What is said instead of a kind that the owner did not write, before what is built in.
_INSTEAD = {"stop_category": "stop"}
# Fewer letters than this may be anybody's word.
_LEAST = 12
# Two parts of GSM-7, and what a long name adds.
_LONGEST = 600


class OwnWords:
    """The texts of one configuration."""

    def __init__(self, settings: Settings) -> None:
        self._language = settings.gateway.language
        self._sender_name = settings.gateway.sender_name
        self._texts = settings.replies.texts
        self._labels = {name: each.label for name, each in settings.categories.items()}
        self._welcomes = {name: each.welcome for name, each in settings.categories.items() if each.welcome}
        every = [text for texts in (*TEXTS.values(), *self._texts.values()) for text in texts.values()]
        unread = [settings.replies.unread] if settings.replies.unread else []
        self._ours = [_pieces(text) for text in (*every, *unread, *self._welcomes.values())]

    def say(self, kind: str, *, category: str | None = None, language: str | None = None) -> str:
        """The text of a kind about this category, in the language (a BCP 47 tag) where there is a text in it, else in
        the gateway's."""
        text = self._written(kind, self._spoken(language))
        if not self._sender_name:
            text = text.replace(_NAMED, "")
        label = self._labels.get(category or "")
        if label is None:
            text = _LABELLED.sub("", text)
        values: Mapping[str, str] = {"sender_name": self._sender_name or "", "category": label or ""}
        return _PLACEHOLDER.sub(lambda found: values.get(found[0][1:-1], found[0]), text)

    def welcome(self, category: str) -> str | None:
        """What somebody is answered who joined this category."""
        return self._welcomes.get(category)

    def are_in(self, text: str | None) -> bool:
        """Whether a message is an automatic text of ours, or of a gateway like this one with another name."""
        if text is None or len(text) > _LONGEST:
            return False
        said = bare(text)
        return any(_says(said, pieces) for pieces in self._ours)

    def _spoken(self, tag: str | None) -> str:
        primary = (tag or "").split("-")[0].lower()
        return primary if primary in self._texts or primary in TEXTS else self._language

    def _written(self, kind: str, language: str) -> str:
        own = self._texts.get(language, {})
        found = own.get(kind) or own.get(_INSTEAD.get(kind, kind))
        return found or TEXTS.get(language, TEXTS[_ENGLISH])[kind]


def _pieces(text: str) -> Sequence[str]:
    """What stands between the placeholders, undressed."""
    return [piece for each in _PLACEHOLDER.split(text) if (piece := bare(each))]


def _says(said: str, pieces: Sequence[str]) -> bool:
    """Whether the pieces stand in it, in their order; short ones have to be all of it."""
    if sum(map(len, pieces)) < _LEAST:
        return said == "".join(pieces)
    at = 0
    for piece in pieces:
        found = said.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return True
