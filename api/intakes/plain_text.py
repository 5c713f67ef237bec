"""What a person would read of HTML: without marks, scripts and styles. No links are kept but their words.

A reader of our own, in one pass: the time of Python's `html.parser` grows with the square of what it is given. Where
marks begin and end is as in the HTML Standard, 13.2.5 (Tokenization), but for one thing: a mark without an end is
text, so that nobody's words are lost after a `<`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from html import unescape
from typing import Final

from gateway.errors import InvalidRequest

#: No campaign of ten SMS needs more, with all the marks around it.
HTML_MAX: Final = 256 * 1024
# Some milliseconds at worst.
_AT_ONCE: Final = 8 * 1024

_SILENT: Final = frozenset({"script", "style", "template", "title"})
_BREAKS: Final = frozenset(
    {"br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "table", "ul", "ol"}
)
# Nothing in these patterns is tried a second time from another place: each begins with what is rare, and what follows
# has no second way to match.
_MARK: Final = re.compile(r"<(?:(!--)|[!?]|(/?)([A-Za-z][^\s/>]*)|/)")
_COMMENT_END: Final = re.compile(r"--!?>")
# A quoted value may hold a `>`; without a second quote it goes on to the end.
_STOP: Final = re.compile(r""">|=\s*(?:"[^"]*"?|'[^']*'?)""")
_SILENT_ENDS: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _SILENT}
# Python refuses to read integers of thousands of digits, and no character has such a number.
_NO_CHARACTER: Final = re.compile(r"&#[xX]?[0-9A-Fa-f]{20,};?")


def text_of_html(html: str) -> str:
    """The text, line by line, empty lines left out. Never fails; takes time in proportion to its length."""
    lines = (" ".join(line.split()) for line in "".join(_pieces(html)).split("\n"))
    return "\n".join(line for line in lines if line)


async def text_of_large_html(html: str, pointer: str) -> str:
    """The same of what may be large: nobody waits for it. Raises `InvalidRequest` beyond `HTML_MAX` characters."""
    if len(html) > HTML_MAX:
        raise InvalidRequest.field("text_too_long", pointer, f"is HTML of more than {HTML_MAX} characters")
    return text_of_html(html) if len(html) <= _AT_ONCE else await asyncio.to_thread(text_of_html, html)


def _pieces(html: str) -> Iterator[str]:
    """Texts, and the line breaks that marks make."""
    at = 0
    while mark := _MARK.search(html, at):
        yield _words(html[at : mark.start()])
        comment, closing, name = mark.groups()
        at = _end_of_comment(html, mark.end()) if comment else _end_of_mark(html, mark)
        if at > len(html):
            yield _words(html[mark.start() :])
            return
        name = (name or "").lower()
        if name in _BREAKS:
            yield "\n"
        elif name in _SILENT and not closing:
            end = _SILENT_ENDS[name].search(html, at)
            at = end.start() if end else len(html)
    yield _words(html[at:])


def _end_of_comment(html: str, at: int) -> int:
    """`<!-->` is a whole one; without an end it goes on to the end."""
    end = _COMMENT_END.search(html, at - 2)
    return end.end() if end else len(html)


def _end_of_mark(html: str, mark: re.Match[str]) -> int:
    """Behind its `>`; beyond everything where there is none. Only a tag has quotes that count."""
    if mark[3] is None:
        return html.find(">", mark.end()) + 1 or len(html) + 1
    stops = _STOP.finditer(html, mark.end())
    return next((stop.end() for stop in stops if stop[0] == ">"), len(html) + 1)


def _words(source: str) -> str:
    """Line breaks of the source are blanks."""
    return source and unescape(_NO_CHARACTER.sub("\ufffd", source)).replace("\n", " ")
