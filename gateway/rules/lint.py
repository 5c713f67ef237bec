"""What a person may want to change in a text before it leaves: one small check a code, in the table `CHECKS`.

Pure. A check sees the text as it was handed in and as it leaves, and yields cautions for its author: a caution may
quote the offending word, never more of the text. No check refuses anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from drivers.tpdu import Segmentation, TpduError, segment
from drivers.tpdu.gsm7 import DEFAULT
from gateway.config.category import Category
from gateway.message import Caution
from gateway.rules.composition import Composed, names
from gateway.rules.fields import unfilled
from gateway.rules.linked import faults_of, shorteners_of
from gateway.rules.notices import carries_notice
from gateway.rules.typography import gsm7_version, strange_words

#: What should not leave so, by the codes of `CHECKS`: a campaign with any of it starts only where somebody insists.
ERRORS = frozenset(
    {"missing_field", "no_sender", "no_stop_notice", "stop_number_unknown", "broken_link", "look_alikes"}
)
#: Of one kind no more is told: who has mended these asks again.
MOST_OF_A_KIND = 5
_LETTERS_TO_SHOUT = 12
_SHOUTED = 0.7
_SHORT_LAST_PART = 10
_LONG_PARTS = 4
# Septets of one part, and of one of several (TS 23.040, 9.2.3.24).
_ONE_PART, _PART_OF_MANY = 160, 153

_DOUBLE_BLANKS = re.compile(r"(?<=\S)[ \u00a0]{2,}(?=\S)")
_SIGNS = re.compile(r"[!?.,;]{2,}")
_REPEATED = re.compile(r"([!?])\1{2,}|[!?]{4,}|,{2,}|\.{4,}|;{2,}")
# Signs of no word: a notice of capitals is not somebody shouting.
_NOT_WORDS = re.compile(r"https?://\S+|\bSTOP\b")


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proof-read. `text` as it was handed in, `composed` and `segmentation` as it leaves."""

    text: str
    composed: Composed
    segmentation: Segmentation
    category: Category
    max_parts: int
    sender_name: str | None = None
    #: Whether this person had nothing of the category before.
    first: bool = True
    #: What the country profiles ask of a text, by the code of what then lacks: who says so.
    asked: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def parts(self) -> int:
        """How many short messages it takes."""
        return len(self.segmentation.parts)

    @property
    def asks_for_consent(self) -> bool:
        """Whether it is of a kind for which laws want a sender and a way out."""
        return self.category.profile is not None or self.category.consent == "opt_in"


def lint(proof: Proof) -> list[Caution]:
    """Every caution about a text, in the order of the table; at most `MOST_OF_A_KIND` of a code."""
    return [
        Caution(code, sentence) for code, check in CHECKS.items() for sentence in islice(check(proof), MOST_OF_A_KIND)
    ]


def typo_cautions(found: Sequence[tuple[str, str]]) -> list[Caution]:
    """The cautions about words that a speller takes for slips, with what it would write."""
    return [Caution("typo", f"“{word}”: did you mean “{better}”?") for word, better in found]


def encoding_cautions(segmentation: Segmentation, final: str) -> list[Caution]:
    """The caution about a text that needs UCS-2 as it leaves, if it does: all that the door says of each message."""
    if not segmentation.forced_ucs2_by:
        return []
    proof = Proof(final, Composed(final), segmentation, Category(""), 0)
    return [Caution("forced_ucs2", sentence) for sentence in _forced_ucs2(proof)]


def _forced_ucs2(proof: Proof) -> Iterator[str]:
    count = len(proof.segmentation.forced_ucs2_by)
    if not count:
        return
    what = "1 character is" if count == 1 else f"{count} characters are"
    sentence = f"{what} not in the GSM alphabet, so a part holds 70 characters instead of 160"
    plain = gsm7_version(proof.composed.text)
    fewer = None if plain is None else _parts(plain)
    if fewer is not None and fewer < proof.parts:
        sentence += f"; the GSM-7 text would take {_count(fewer, 'part')} instead of {proof.parts}"
    yield sentence


def _over_long(proof: Proof) -> Iterator[str]:
    if proof.parts >= max(2, proof.max_parts - 1):
        yield f"takes {_count(proof.parts, 'part')}, and {proof.max_parts} are the limit"
    elif proof.parts >= _LONG_PARTS:
        yield f"takes {_count(proof.parts, 'part')}: each is counted and paid like a message"


def _short_last_part(proof: Proof) -> Iterator[str]:
    if proof.parts < 2:
        return
    # One part alone holds more than one of two, which need a header: 160 for 153, 70 for 67.
    header = {"gsm7": 7, "ucs2": 3}[proof.segmentation.encoding] if proof.parts == 2 else 0
    over = len(proof.segmentation.parts[-1]) - header
    if 0 < over <= _SHORT_LAST_PART:
        yield f"a text shorter by {_count(over, 'character')} takes a part less"


def _missing_field(proof: Proof) -> Iterator[str]:
    for place, word in unfilled(proof.text):
        yield f"“{word}” at character {place + 1} looks like a field that was not filled in"


def _no_sender(proof: Proof) -> Iterator[str]:
    if not proof.asks_for_consent or proof.composed.prefix:
        return
    if proof.sender_name is None:
        yield f"{proof.asked.get('no_sender', 'no sender is named')}: set sender_name of [gateway]"
    elif not names(proof.composed.text, proof.sender_name):
        yield f"{proof.asked.get('no_sender', 'the sender is not named in it')}; the category has no sender_prefix"


def _no_stop_notice(proof: Proof) -> Iterator[str]:
    composed, category = proof.composed, proof.category
    if not proof.asks_for_consent or composed.notice:
        return
    told_before = category.stop_notice_when == "first" and not proof.first
    needed = "no_stop_notice" in proof.asked or (category.stoppable and not told_before)
    if needed and not carries_notice(composed.text):
        what = proof.asked.get("no_stop_notice", "nothing tells the reader how to stop such messages")
        yield f"{what}: set stop_notice and stop_notice_when of the category"


def _stop_number_unknown(proof: Proof) -> Iterator[str]:
    if proof.composed.numberless:
        yield "the STOP notice names no number, since that of a modem is not known: set number of [modems.NAME]"


def _broken_link(proof: Proof) -> Iterator[str]:
    return faults_of(proof.text)


def _link_shortener(proof: Proof) -> Iterator[str]:
    for host in shorteners_of(proof.text):
        yield f"{host} is a shortener that anybody can use: operators take such links for fraud"


def _shouting(proof: Proof) -> Iterator[str]:
    words = _NOT_WORDS.sub("", proof.text) if "STOP" in proof.text or "://" in proof.text else proof.text
    capitals = sum(map(str.isupper, words))
    # Most texts have too few for it, whatever else they are made of.
    if capitals <= _SHOUTED * _LETTERS_TO_SHOUT:
        return
    letters = capitals + sum(map(str.islower, words))
    if letters > _LETTERS_TO_SHOUT and capitals > _SHOUTED * letters:
        yield "is written mostly in capitals"


def _double_spaces(proof: Proof) -> Iterator[str]:
    places = [str(match.start() + 1) for match in islice(_DOUBLE_BLANKS.finditer(proof.text), MOST_OF_A_KIND)]
    if places:
        yield f"two blanks in a row at character {', '.join(places)}"


def _repeated_punctuation(proof: Proof) -> Iterator[str]:
    for match in _SIGNS.finditer(proof.text):
        if _REPEATED.search(match[0][:_SHORT_LAST_PART]) is None:
            continue
        yield f"“{match[0][:_SHORT_LAST_PART]}” at character {match.start() + 1} says no more than one sign"


def _outer_spaces(proof: Proof) -> Iterator[str]:
    count = len(proof.text) - len(proof.text.strip())
    if count and proof.text.strip():
        yield f"{_count(count, 'blank')} before or behind the text"


def _look_alikes(proof: Proof) -> Iterator[str]:
    for match in strange_words(proof.text):
        place = match.start() + 1
        yield f"a word at character {place} mixes Latin letters with Cyrillic or Greek ones that look the same"


Check = Callable[[Proof], Iterator[str]]

#: By their stable codes; each yields sentences. `typo`, and `broken_link` for links that were asked, come from outside.
CHECKS: dict[str, Check] = {
    "forced_ucs2": _forced_ucs2,
    "over_long": _over_long,
    "short_last_part": _short_last_part,
    "missing_field": _missing_field,
    "no_sender": _no_sender,
    "no_stop_notice": _no_stop_notice,
    "stop_number_unknown": _stop_number_unknown,
    "broken_link": _broken_link,
    "link_shortener": _link_shortener,
    "shouting": _shouting,
    "double_spaces": _double_spaces,
    "repeated_punctuation": _repeated_punctuation,
    "outer_spaces": _outer_spaces,
    "look_alikes": _look_alikes,
}


def _parts(text: str) -> int | None:
    """So many parts takes a text that GSM-7 has; None for more than can be numbered.

    By its length alone where no cut can fall into anything, as nearly always: cutting costs more than all checks.
    """
    septets = len(DEFAULT.encode(text))
    if septets == len(text) and "\r" not in text:
        return 1 if septets <= _ONE_PART else -(-septets // _PART_OF_MANY)
    try:
        return len(segment(text).parts)
    except TpduError:
        return None


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
