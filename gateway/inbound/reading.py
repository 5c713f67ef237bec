"""What a whole message means here: a keyword, an answer that was waited for, a word of the owner's, or a doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gateway.config.settings import Settings
from gateway.config.undress import bare
from gateway.inbound.reader import reader_of
from gateway.rules.keywords import Keyword, Reading
from gateway.store.questions import Question

# However much dress there is around a word, a text longer than this is somebody's sentence.
_LONGEST_JOIN = 200


@dataclass(frozen=True, slots=True)
class Meaning:
    """At most one of: a keyword (`scope` is the category named with it), an expected answer, a category that is joined,
    a question that is said yes to, and a keyword that it may be."""

    keyword: Keyword | None = None
    scope: str | None = None
    answer: str | None = None
    joins: str | None = None
    confirms: Question | None = None
    near: Keyword | None = None

    @property
    def acts(self) -> bool:
        """Whether something is to be done."""
        return bool(self.keyword or self.joins or self.near)


NOTHING = Meaning()


class Listener:
    """Reads messages by the words of a configuration."""

    def __init__(self, settings: Settings) -> None:
        self._categories = tuple(settings.categories)
        self._joins = joins_of(settings)
        self._reader = reader_of(settings)

    def hear(self, text: str | None, expected: Sequence[str], questions: Callable[[], Sequence[Question]]) -> Meaning:
        """The meaning of a message; `questions` are those that this person has not answered, the latest first."""
        if text is None:
            return NOTHING
        reading = self._read(text, expected, optin_open=True)
        confirms = None
        if reading.keyword is Keyword.START and reading != (plain := self._read(text, expected, optin_open=False)):
            # A yes: it says something only to somebody who asked.
            asked = questions()
            confirms = asked[0] if asked else None
            reading = reading if asked else plain
        if reading.keyword is None and reading.answer is None:
            joins = self._joins.get(bare(text)) if len(text) <= _LONGEST_JOIN else None
            return Meaning(joins=joins, near=None if joins else reading.near)
        return Meaning(reading.keyword, reading.category, reading.answer, confirms=confirms)

    def is_stop(self, text: str | None) -> bool:
        """Whether it is a STOP, whatever else was waited for."""
        return text is not None and self._read(text, (), optin_open=False).keyword is Keyword.STOP

    def _read(self, text: str, expected: Sequence[str], *, optin_open: bool) -> Reading:
        return self._reader.read(text, categories=self._categories, optin_open=optin_open, expected=expected)


def joins_of(settings: Settings) -> dict[str, str]:
    """The categories that people join by the owner's words, by word."""
    return {bare(word): name for name, category in settings.categories.items() for word in category.join_words}
