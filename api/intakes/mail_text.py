"""The text that a person would read of a mail: its first plain part, else its HTML without marks; no signature.

The older interface of Python's `email` on purpose: it does not take header fields apart that nobody asks for. Nothing
here trusts a length, a charset or a nesting; what cannot be read is said so in one sentence.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.errors import HeaderParseError, MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.parser import BytesParser
from email.policy import compat32
from typing import Any, Final

from api.intakes.charsets import charset_of
from api.intakes.plain_text import text_of_html

#: RFC 3676, 4.3: two dashes and a blank on a line of their own begin the signature; what follows is not for an SMS.
_SIGNATURE: Final = re.compile(r"^-- $", re.MULTILINE)
#: Python's parser takes the longer the deeper a mail is nested; an honest one has three or four levels.
_MOST_LEVELS: Final = 50
_LEVELS: Final = re.compile(rb"(?i)multipart/|message/")
_UNREADABLE: Final = "the mail has no part that can be read as text"


class Unreadable(Exception):
    """There is no text in the mail; the message says why."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What is used of a mail. `name` is its Message-ID, empty where it has none."""

    text: str
    subject: str
    name: str


def mail_of(octets: bytes) -> Mail:
    """The mail of these octets. Raises `Unreadable`."""
    if len(_LEVELS.findall(octets)) > _MOST_LEVELS:
        raise Unreadable("the mail has too many parts within parts")
    try:
        message = BytesParser(policy=compat32).parsebytes(octets)
        parts = [part for part in message.walk() if not part.is_multipart() and _is_shown(part)]
        plain = next((part for part in parts if part.get_content_type() == "text/plain"), None)
        html = next((part for part in parts if part.get_content_type() == "text/html"), None)
        if plain is None and html is None:
            raise Unreadable(_UNREADABLE)
        text = _decoded(plain) if plain is not None else text_of_html(_decoded(html)) if html is not None else ""
        return Mail(_without_signature(text), _header(message, "Subject"), _header(message, "Message-ID"))
    except (MessageError, RecursionError, ValueError, LookupError, AssertionError):
        raise Unreadable(_UNREADABLE) from None


def _is_shown(part: Message[Any, Any]) -> bool:
    return part.get_content_maintype() == "text" and part.get_content_disposition() != "attachment"


def _decoded(part: Message[Any, Any]) -> str:
    octets: Any = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    said: Any = part.get_param("charset", "utf-8")
    # RFC 2231 parameters come in three pieces.
    name = str(said[2] if isinstance(said, tuple) else said)  # pyright: ignore[reportUnknownArgumentType]
    for charset in (charset_of(name), "utf_8"):
        try:
            if charset is not None:
                return octets.decode(charset)
        except UnicodeError:
            continue
    # Whatever it is, each octet of it is a character there.
    return octets.decode("cp1252", "replace")


def _without_signature(text: str) -> str:
    """Lines end with a line feed alone; blank lines around the text go."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return _SIGNATURE.split(lines, maxsplit=1)[0].strip()


def _header(message: Message[Any, Any], name: str) -> str:
    """One line of words; what is encoded wrongly stays as it came."""
    raw = str(message.get(name, ""))
    try:
        pieces = decode_header(raw)
        known = all(charset is None or charset_of(charset) for _, charset in pieces)
        text = str(make_header(pieces)) if known else raw
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        text = raw
    return " ".join(text.split())
