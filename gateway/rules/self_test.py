"""The text by which a modem proves itself: written by the gateway, and known again when it comes in."""

from __future__ import annotations

import re

#: The category of such a message: its own, so that nobody takes it for a customer's.
CATEGORY = "self_test"
_TEXT = "Tocsin self-test {}"
# 26 signs of 32 are 130 bits. A network may write something of its own before or behind.
_FOUND = re.compile(r"\bTocsin self-test ([A-Z2-7]{26})\b")
#: How many signs a token has, and of which it is.
TOKEN_LENGTH = 26
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


def text_with(token: str) -> str:
    """The text that carries this token."""
    return _TEXT.format(token)


def token_in(text: str | None) -> str | None:
    """The token of a self-test in a text that came in; None in any other text."""
    found = None if text is None else _FOUND.search(text)
    return None if found is None else found[1]
