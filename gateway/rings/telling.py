"""What the people of a ring are told: its text as it is, or what comes of its texts for each of them.

The texts are fixed when the ring begins: who is rung later, or again, is told the same, whatever became of a template.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.errors import FieldError, InvalidRequest
from gateway.people.rendering import RenderFault
from gateway.people.templates import TemplateBook
from gateway.requests import NewMessage, Principal
from gateway.ring import NewRing

_MOST_TOLD: Final = 20


class Teller:
    """Makes the messages of rings."""

    def __init__(self, book: TemplateBook) -> None:
        self._book = book

    async def worded(self, new: NewRing) -> NewRing:
        """The ring with the texts that it will have, and what is shown of them. Raises `InvalidRequest` for a template
        that is not there, and for texts that nobody can be told."""
        if new.template is not None:
            new = replace(new, texts=await self._book.texts_of(new.template), template=None)
        elif new.texts:
            await self._book.check(new.texts)
        return replace(new, text=_shown(new)) if new.texts else new

    async def messages(
        self, principal: Principal, numbers: Sequence[str], new: NewRing, ring_id: str | None
    ) -> list[NewMessage | RenderFault]:
        """What each of these is told, or why there is no text for them."""
        texts: Sequence[str | RenderFault] = [new.text] * len(numbers)
        if new.texts:
            texts = await self._book.told(principal, numbers, new.texts, new.variables)
        return [
            text
            if isinstance(text, RenderFault)
            else NewMessage(number, text, new.category, expect=new.expect, ring_id=ring_id)
            for number, text in zip(numbers, texts, strict=True)
        ]


def lacking(faults: Counter[RenderFault]) -> InvalidRequest:
    """That somebody cannot be told: what lacks, and for how many; nobody's value is in it."""
    errors = [
        FieldError("/variables", f"{_people(count)}: {fault.message}")
        for fault, count in faults.most_common(_MOST_TOLD)
    ]
    sentence = f"the text cannot be made for everybody: {errors[0].message}"
    return InvalidRequest(next(iter(faults)).code, sentence, errors=errors)


def _shown(new: NewRing) -> str:
    """The text for any language, else the first."""
    return new.texts.get("", next(iter(new.texts.values())))


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"
