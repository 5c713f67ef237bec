"""Cells of CSV that no spreadsheet runs, and the way back.

A cell that begins as a formula does is run by whoever opens the file (owasp.org, "CSV Injection"), and what people say
of themselves stands in those cells. Such a cell gets an apostrophe in front; so does what stands so within a cell,
behind a sign at which a spreadsheet of another country cuts, quotes or not. Reading takes exactly these apostrophes
away, so that what was exported comes back as it was.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_APOSTROPHE: Final = "'"
_FORMULA: Final = frozenset("=+-@\u2212")
_CUT: Final = re.compile(r"([,;|\t\r\n])")
# What every plain cell is: nothing to be looked at more closely.
_PLAIN: Final = re.compile(r"[A-Za-z0-9À-ÖØ-öø-ÿ][A-Za-z0-9À-ÖØ-öø-ÿ .:/@_-]*")
#: Numbers are told from formulas by nothing but their digits, and have their + all the same: they get one too.
_SKIPPED: Final = ("Cf", "Cc", "Mn", "Zs", "Zl", "Zp")


def guarded_cell(text: str) -> str:
    """The cell with its apostrophes."""
    if not text or _PLAIN.fullmatch(text):
        return text
    pieces = _CUT.split(text)
    # A line end or a tab at the beginning is looked through by some, and the formula behind it run.
    opening = _APOSTROPHE if _opens_with_space(text) else ""
    return opening + "".join(_APOSTROPHE + piece if _is_formula(piece) else piece for piece in pieces)


def unguarded_cell(text: str) -> str:
    """The cell without them."""
    if _APOSTROPHE not in text:
        return text
    if text[0] == _APOSTROPHE and _opens_with_space(text):
        text = text[1:]
    pieces = _CUT.split(text)
    return "".join(piece[1:] if piece[:1] == _APOSTROPHE and _is_formula(piece) else piece for piece in pieces)


def _opens_with_space(text: str) -> bool:
    """Whether a line end or a tab stands in front, behind apostrophes of its own too."""
    return text.lstrip(_APOSTROPHE)[:1] in {"\t", "\r", "\n"}


def _is_formula(piece: str) -> bool:
    """Whether it begins as a formula does, behind apostrophes of its own too. Blanks, what is not seen, quotes, and the
    forms of East Asian widths are looked through."""
    for character in piece:
        if character in "'\"" or (not character.isalnum() and unicodedata.category(character) in _SKIPPED):
            continue
        return unicodedata.normalize("NFKC", character)[:1] in _FORMULA
    return False
