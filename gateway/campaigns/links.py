"""The short addresses of links: how they are made, and read back.

A code is drawn at random, so that nobody finds another's by counting: 9 characters of 57, which is 52 bits. Characters
that people take for each other are left out.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from typing import Final

from gateway.campaigns.tracking import Shortened
from gateway.rules.linked import is_followable, with_links

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
LENGTH: Final = 9
#: Longer addresses stay as they are: nobody's browser takes them.
LONGEST: Final = 2000
_CODE: Final = re.compile(rf"[{ALPHABET}]{{{LENGTH}}}")


def new_code() -> str:
    """A code that nobody can guess."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def is_code(text: str) -> bool:
    """Whether it may be a code of ours."""
    return _CODE.fullmatch(text) is not None


def code_of(written: str, address: str | None) -> str | None:
    """The code of a link, given as the code alone or as the whole short address; None where it is neither."""
    bare = written.strip()
    if address is not None and bare.lower().startswith(f"{address.lower()}/"):
        bare = bare[len(address) + 1 :]
    return bare if is_code(bare) else None


def shorten(text: str, address: str, draw: Callable[[], str] = new_code) -> Shortened:
    """The text with each of its links replaced; the same link twice has one code. What no browser could be sent to,
    and what leads to the short addresses themselves, stays."""
    codes: dict[str, str] = {}

    def change(link: str) -> str:
        if not is_followable(link) or len(link) > LONGEST or link.lower().startswith(f"{address.lower()}/"):
            return link
        if link not in codes:
            codes[link] = draw()
        return f"{address}/{codes[link]}"

    changed = with_links(text, change)
    return Shortened(changed, tuple((code, link) for link, code in codes.items()))
