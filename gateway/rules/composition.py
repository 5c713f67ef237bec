"""The text as it leaves: sender in front, STOP notice behind, typographic characters folded into GSM-7.

Pure, and the same at the door (which counts its parts) and at the gate (which sends it). What was composed once is
left as it is when it is composed again: a sender is put in front of no text that names it, a notice behind none that
has one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from drivers.tpdu import TpduError, segment
from gateway.address import AddressKind, normalise_sender
from gateway.config.category import Category
from gateway.rules.notices import carries_notice, printed_for, short_notice
from gateway.rules.typography import folded, is_gsm7

_NAME = "{sender_name}"
_NUMBER = "{modem_number}"
# Between two letters of a name others may write a blank, a hyphen, a dot.
_GAP = r"[\W_]{0,3}"


@dataclass(frozen=True, slots=True)
class Composed:
    """A text as it leaves. `prefix` and `notice` are what was added, empty for nothing; `numberless` tells of a notice
    that should have named the modem's number, which is not known; `is_folded` that characters were exchanged."""

    text: str
    prefix: str = ""
    notice: str = ""
    numberless: bool = False
    is_folded: bool = False


def compose(
    text: str,
    category: Category,
    *,
    sender_name: str | None,
    modem_number: str | None,
    language: str,
    first_in_category: bool,
    recipient: str = "",
) -> Composed:
    """The text of a message of this category to `recipient` (E.164).

    `modem_number` is that of the modem it leaves by, or is likely to; `language` the gateway's; `first_in_category`
    says that this person had nothing of this category before.
    """
    if not touches(category):
        return Composed(text)
    prefix, notice, numberless = _prefix(text, category, sender_name), "", False
    whole = _joined(prefix, text)
    if _wants_notice(category, first=first_in_category):
        notice, numberless = _notice(category, sender_name, modem_number, language, recipient)
        seen = folded(whole)
        if folded(notice.strip()) in seen or carries_notice(seen):
            notice, numberless = "", False
    whole = _joined(whole, notice)
    plain = _plainly(whole, category) if category.smart_encoding else whole
    return Composed(plain, prefix, notice, numberless, is_folded=plain != whole)


def touches(category: Category) -> bool:
    """Whether texts of this category may leave otherwise than they were handed in."""
    return bool(category.sender_prefix or category.stop_notice or category.smart_encoding)


def names(text: str, name: str) -> bool:
    """Whether the text has the name, however case, accents and blanks are written."""
    letters, pattern = _pattern_of(name)
    if pattern is None:
        return name in text
    pieces = _in_pieces(text)
    seen = pieces.casefold()
    # Often a letter of it is nowhere, which costs least to see.
    return all(letter in seen for letter in letters) and pattern.search(_bare(pieces)) is not None


def compose_longest(
    text: str,
    category: Category,
    numbers: Collection[str | None],
    *,
    sender_name: str | None,
    language: str,
    first_in_category: bool,
    recipient: str = "",
) -> Composed:
    """The longest of the texts as which it may leave, by one of several modems: what the door counts.

    `numbers` are those of the modems that may take it, None for one that is not known.
    """
    # In their order: of two that are as long a preview names the same one each time.
    told = dict.fromkeys(numbers) if _NUMBER in (category.stop_notice or "") else {}
    texts = [
        compose(
            text,
            category,
            sender_name=sender_name,
            modem_number=number,
            language=language,
            first_in_category=first_in_category,
            recipient=recipient,
        )
        for number in told or (None,)
    ]
    return max(texts, key=lambda composed: len(composed.text))


def _prefix(text: str, category: Category, sender_name: str | None) -> str:
    template = category.sender_prefix or ""
    if not template or (_NAME in template and (not sender_name or names(text, sender_name))):
        return ""
    prefix = template.replace(_NAME, sender_name or "")
    return "" if folded(text).startswith(folded(prefix.strip())) else prefix


def _wants_notice(category: Category, *, first: bool) -> bool:
    wanted = {"always": True, "first": first}.get(category.stop_notice_when, False)
    return wanted and category.stoppable and bool(category.stop_notice)


def _notice(
    category: Category, sender_name: str | None, modem_number: str | None, language: str, recipient: str
) -> tuple[str, bool]:
    """The notice, and whether it had to do without the number that it should name."""
    template = category.stop_notice or ""
    if _NUMBER in template:
        if modem_number is None or normalise_sender(modem_number, None)[1] is AddressKind.ALPHANUMERIC:
            return short_notice(language), True
        template = template.replace(_NUMBER, printed_for(modem_number, recipient))
    return template.replace(_NAME, sender_name or "").rstrip(), False


def _joined(one: str, other: str) -> str:
    """Both, with one blank and no more where they meet."""
    if one[-1:].isspace() and other[:1] == " ":
        other = other.lstrip(" ")
    return one + other


def _plainly(text: str, category: Category) -> str:
    """The text folded into GSM-7, if that takes no more parts; a text that stays in UCS-2 is not touched."""
    if is_gsm7(text):
        return text
    plain = folded(text)
    if not is_gsm7(plain) or _parts(plain, category) > _parts(text, category):
        return text
    return plain


def _parts(text: str, category: Category) -> int:
    try:
        return len(segment(text, national_tables=category.national_tables).parts)
    except TpduError:
        # More than can be numbered: as good as endless.
        return len(text) + 1


@lru_cache(maxsize=64)
def _pattern_of(name: str) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """The letters and digits of a name, and what finds it in a bare text as whole words; None for one without any."""
    letters = [character for character in _bare(_in_pieces(name)) if character.isalnum()]
    gapped = _GAP.join(map(re.escape, letters))
    return frozenset(letters), re.compile(rf"(?<![^\W_]){gapped}(?![^\W_])") if letters else None


def _in_pieces(text: str) -> str:
    """The text with each letter's accents behind it."""
    return text if text.isascii() else unicodedata.normalize("NFKD", folded(text))


def _bare(pieces: str) -> str:
    """Small letters without accents; signs and blanks stay, so that words end where they ended."""
    if pieces.isascii():
        return pieces.lower()
    # A long text has few different characters: each is asked about once.
    marks = list(filter(unicodedata.combining, set(pieces)))
    return (pieces.translate({ord(mark): None for mark in marks}) if marks else pieces).casefold()
