"""What the fields of a contact may hold, for the interface and for imports alike. Pure: texts in, texts out.

A sentence never repeats what was written: it goes into answers, lists of rejected rows and logs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Final

import phonenumbers

from gateway.address import is_mail
from gateway.config.machine import is_zone

#: The longest name, attribute, tag and address, in characters; the most tags of one contact, and attributes in all.
LONGEST_NAME, LONGEST_TEXT, LONGEST_TAG, LONGEST_PUSH = 200, 1000, 64, 900
MOST_TAGS, MOST_ATTRIBUTES = 64, 200
_ATTRIBUTE: Final = re.compile(r"[a-z_][a-z0-9_]{0,63}")
_SPACES: Final = re.compile(r"\s+")
# C0, DEL and C1 controls, halves of surrogate pairs, and what would turn the direction of a line.
_UNFIT: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
# A list of tags is written with these between them.
_BETWEEN_TAGS: Final = re.compile(r'[,;|"\\]')
# RFC 5646, 2.1, without extensions and private use; the column has room for 16 characters.
_LANGUAGE: Final = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?")
_PUSH: Final = re.compile(r"([a-z][a-z0-9+.-]{1,30})://[\x21-\x7e]+")
#: What Apprise would do on this machine or post to any address, and mail, which has a field of its own.
_NO_PUSH: Final = frozenset(
    {
        "dbus",
        "qt",
        "kde",
        "glib",
        "gnome",
        "macosx",
        "windows",
        "syslog",
        "json",
        "jsons",
        "xml",
        "xmls",
        "form",
        "forms",
    }
    | {"mailto", "mailtos", "apprise", "apprises", "file", "memory", "aprs", "enigma2", "kodi", "kodis"}
    | {"enigma2s"}
)


class FieldRefused(ValueError):
    """A field cannot be taken. `word` is that of a rejected row: `too_long`, `bad_value`, `bad_email`, …; the message
    completes the name of the field."""

    def __init__(self, word: str, sentence: str) -> None:
        super().__init__(sentence)
        self.word = word
        self.sentence = sentence


def line_of(text: str, longest: int) -> str:
    """A text on one line: blanks and line ends between words are one blank each."""
    # As nearly all are: what can be printed is neither a control character nor half a pair.
    if text.isprintable() and "  " not in text and len(text) <= longest:
        return text.strip()
    if len(text) > longest * 4:
        raise FieldRefused("too_long", f"must be at most {longest} characters long")
    line = _SPACES.sub(" ", text).strip()
    if len(line) > longest:
        raise FieldRefused("too_long", f"must be at most {longest} characters long")
    if not line.isprintable() and _UNFIT.search(line):
        raise FieldRefused("bad_value", "contains control characters or halves of a surrogate pair")
    return line


def name_of(text: str) -> str:
    """What somebody is called."""
    return line_of(text, LONGEST_NAME)


def email_of(text: str) -> str:
    """One plain mail address."""
    address = text.strip()
    if not is_mail(address):
        raise FieldRefused("bad_email", "must be one plain mail address")
    return address


def push_of(text: str) -> str:
    """An Apprise URL that leads to a service for messages."""
    address = text.strip()
    if len(address) > LONGEST_PUSH:
        raise FieldRefused("too_long", f"must be at most {LONGEST_PUSH} characters long")
    written = _PUSH.fullmatch(address)
    if written is None:
        raise FieldRefused("bad_push", "must be an Apprise URL such as ntfys://host/topic")
    if written[1] in _NO_PUSH:
        raise FieldRefused("bad_push", "must lead to a service for messages, not to this machine or to any address")
    return address


@cache
def _zone(name: str) -> bool:
    return is_zone(name)


def timezone_of(text: str) -> str:
    """An IANA zone."""
    name = text.strip()
    # The names that a zone data base has are no secret and few: only those are remembered.
    if len(name) > 64 or not (_zone(name) if name in _zones() else is_zone(name)):
        raise FieldRefused("bad_timezone", "must be a time zone such as Europe/Paris")
    return name


@cache
def _zones() -> frozenset[str]:
    from zoneinfo import available_timezones  # noqa: PLC0415 - reads a folder, which only who has contacts needs

    return frozenset(available_timezones())


def country_of(text: str) -> str:
    """ISO 3166 alpha-2."""
    code = text.strip().upper()
    if code not in phonenumbers.SUPPORTED_REGIONS:
        raise FieldRefused("bad_country", "must be a country of two letters such as FR")
    return code


def language_of(text: str) -> str:
    """A BCP 47 tag in its usual letters: fr, pt-BR, zh-Hant."""
    tag = text.strip().replace("_", "-")
    if not _LANGUAGE.fullmatch(tag):
        raise FieldRefused("bad_language", "must be a language such as fr or pt-BR")
    first, *rest = tag.split("-")
    return "-".join((first.lower(), *(each.title() if len(each) == 4 else each.upper() for each in rest)))


def tag_of(text: str) -> str:
    """One tag."""
    tag = line_of(text, LONGEST_TAG)
    if not tag or _BETWEEN_TAGS.search(tag):
        raise FieldRefused("bad_tag", 'must be a word or a few, without , ; | " or a backslash')
    return tag


def tags_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Tags in the order in which they were given first."""
    tags = tuple(dict.fromkeys(tag_of(each) for each in texts))
    if len(tags) > MOST_TAGS:
        raise FieldRefused("too_long", f"must be at most {MOST_TAGS}")
    return tags


def attribute_name_of(text: str) -> str:
    """The name of an attribute, as filters and templates write it."""
    if not _ATTRIBUTE.fullmatch(text):
        raise FieldRefused("bad_value", "must be small letters, digits and _, at most 64, and begin with no digit")
    return text


#: What each field of text is made of what was written.
CHECKS: Final[Mapping[str, Callable[[str], str]]] = {
    "name": name_of,
    "email": email_of,
    "push": push_of,
    "timezone": timezone_of,
    "country": country_of,
    "language": language_of,
}
