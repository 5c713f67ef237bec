"""How long the texts of a template become for an audience: in parts, whose is the longest, what makes them long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from drivers.tpdu import segment
from drivers.tpdu.errors import TpduError
from gateway.config.settings import Category
from gateway.message import Caution
from gateway.outbound.wording import Wording
from gateway.people.contact import Contact
from gateway.people.rendering import Person, RenderFault, Usual, each_in_time, render_one
from gateway.rules.typography import gsm7_version

_MOST_LETTERS: Final = 20


@dataclass(frozen=True, slots=True)
class Dress:
    """What goes around a text as it leaves: by the wording of a configuration and a category."""

    wording: Wording
    category: Category
    most_parts: int
    test: bool

    def final(self, text: str, number: str) -> str:
        """The longest form in which it may leave."""
        return self.wording.likely(text, self.category, number, wanted=None, test=self.test).text


@dataclass(frozen=True, slots=True)
class TextSize:
    """One text as it leaves. `parts_in_gsm7` is how many the text in GSM-7 would take, where UCS-2 was forced."""

    parts: int
    characters: int
    forced_ucs2_by: tuple[str, ...] = ()
    parts_in_gsm7: int | None = None


@dataclass(slots=True)
class Sizes:
    """Those of an audience. `longest` is whose text takes the most parts, and of those the most characters."""

    count: int = 0
    parts: Counter[int] = field(default_factory=Counter[int])
    faults: Counter[RenderFault] = field(default_factory=Counter[RenderFault])
    letters: Counter[str] = field(default_factory=Counter[str])
    ucs2: int = 0
    saved: int = 0
    longest: Contact | None = None
    _length: tuple[int, int] = (0, 0)

    def add(self, people: Sequence[Contact], sizes: Sequence[TextSize | RenderFault]) -> None:
        """Count what came of these people."""
        for person, size in zip(people, sizes, strict=True):
            self.count += 1
            if isinstance(size, RenderFault):
                self.faults[size] += 1
                continue
            self.parts[size.parts] += 1
            self._count_letters(size)
            if (size.parts, size.characters) > self._length:
                self.longest, self._length = person, (size.parts, size.characters)

    def _count_letters(self, size: TextSize) -> None:
        if size.forced_ucs2_by:
            self.ucs2 += 1
            self.saved += size.parts_in_gsm7 is not None and size.parts_in_gsm7 < size.parts
            self.letters.update(size.forced_ucs2_by)

    def cautions(self) -> list[Caution]:
        """What somebody may want to change in the template, or in the contacts."""
        cautions = [
            Caution(fault.code, f"{fault.message}: {_people(count)} would get nothing")
            for fault, count in self.faults.most_common(_MOST_LETTERS)
        ]
        if self.ucs2:
            shown = " ".join(letter for letter, _ in self.letters.most_common(_MOST_LETTERS))
            sentence = f"{_texts(self.ucs2)} with {shown}, not in the GSM alphabet: a part holds 70 characters, not 160"
            if self.saved:
                sentence += f"; written in GSM-7 {_texts(self.saved)} would take fewer parts"
            cautions.append(Caution("forced_ucs2", sentence))
        if len(self.parts) > 1:
            rare = [parts for parts, count in self.parts.items() if parts > 1 and count * 20 <= self.parts.total()]
            if rare:
                count = sum(self.parts[parts] for parts in rare)
                cautions.append(Caution("few_are_longer", f"{_texts(count)} with more parts than nearly all others"))
        return cautions


def size_part(
    texts: Mapping[str, str], usual: Usual, people: Sequence[Person], shared: Mapping[str, Any], dress: Dress
) -> list[TextSize | RenderFault]:
    """As `rendering.render_part`, with how long each text becomes instead of the text."""
    return each_in_time(people, lambda person: _size(render_one(texts, usual, person, shared), person, dress))


def _size(text: str | RenderFault, person: Person, dress: Dress) -> TextSize | RenderFault:
    if isinstance(text, RenderFault):
        return text
    if not text.strip():
        return RenderFault("text_empty", "the text is empty")
    final = dress.final(text, person.number)
    parts = _parts(final, dress)
    if parts is None:
        return RenderFault("text_too_long", f"the text needs more than {dress.most_parts} parts, which is the limit")
    if not parts[1]:
        return TextSize(parts[0], len(final))
    plain = gsm7_version(final)
    counted = None if plain is None else _parts(plain, dress)
    return TextSize(parts[0], len(final), parts[1], counted and counted[0])


def _parts(text: str, dress: Dress) -> tuple[int, tuple[str, ...]] | None:
    try:
        cut = segment(text, national_tables=dress.category.national_tables, max_parts=dress.most_parts)
    except TpduError:
        return None
    return len(cut.parts), cut.forced_ucs2_by


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count} people"


def _texts(count: int) -> str:
    return "1 text" if count == 1 else f"{count} texts"
