"""Whom a ring is for: from the words of `to` to numbers, a chunk at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import suppress
from typing import Final, Protocol

from gateway.address import NumberInvalid, parse_recipient
from gateway.config.test_network import RECIPIENTS

_PEOPLE: Final = frozenset(RECIPIENTS)


class Reached(Protocol):
    """Somebody who can be written to."""

    @property
    def number(self) -> str: ...


class Listed(Protocol):
    """Finds the people that words mean (`gateway.people.audience.Audience`)."""

    async def check(self, to: Sequence[str]) -> None: ...

    def chunks(self, to: Sequence[str], *, most: int = 500) -> AsyncIterator[Sequence[Reached]]: ...


def names_segment(word: str) -> bool:
    """Whether a word of `to` is a segment's name, not a number."""
    return word[:1].isascii() and word[:1].isalpha()


def numbers_named(to: Sequence[str], country: str | None) -> dict[str, int]:
    """The numbers among the words in their normal form, each with its first place; what is none is left out."""
    found: dict[str, int] = {}
    for at, word in enumerate(to):
        if not names_segment(word):
            with suppress(NumberInvalid):
                found.setdefault(parse_recipient(word, country), at)
    return found


class People:
    """The people of rings. Of a segment a token that only tests reaches nobody but the people of the test network: it
    would learn who else is in it."""

    def __init__(self, listed: Listed, country: str | None) -> None:
        self._listed = listed
        self._country = country

    async def check(self, to: Sequence[str]) -> None:
        """Raises `InvalidRequest` with pointers `/to/N`: a number that is none, a segment that there is not."""
        await self._listed.check(to)

    async def numbers(self, to: Sequence[str], *, test: bool, most: int) -> AsyncGenerator[list[str]]:
        """Their numbers, each once, at most so many at a time; dead ones are left out."""
        allowed = _PEOPLE | numbers_named(to, self._country).keys() if test else None
        async for chunk in self._listed.chunks(to, most=most):
            yield [each.number for each in chunk if allowed is None or each.number in allowed]
