"""Codes that a person has sent to the network: which are no USSD, and which change the SIM or where calls go. Pure.

The service codes are those of TS 22.030, annex B, 6.5.2 and 6.6: a modem may carry them out itself, whatever command
brought them. Asking how a service stands (`*#21#`) changes nothing.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"[*#][0-9*#]{0,158}#")
_SECRET = "it changes a PIN, a PUK or a password"  # noqa: S105 - not a password
_CALLS = "it changes where calls go"
_BARRING = "it changes which calls are let through"
_REFUSED = (
    (frozenset({"04", "042", "05", "052", "03"}), _SECRET),
    (frozenset({"21", "61", "62", "67", "002", "004"}), _CALLS),
    (frozenset({"33", "331", "332", "35", "351", "330", "333", "353"}), _BARRING),
)
# Activate, register, deactivate, erase; `*#` asks.
_CHANGES = re.compile(r"(?:\*{1,2}|#{1,2})([0-9]+)[*#]")


def problem_of_code(code: str) -> str | None:
    """Why a code is not sent, in words for a person; None if it may be."""
    if not _CODE.fullmatch(code):
        return 'must be a code such as "#123#": it begins with * or # and ends with #'
    found = _CHANGES.match(code)
    service = found.group(1) if found else None
    why = next((why for services, why in _REFUSED if service in services), None)
    return None if why is None else f"is not sent from here: {why}"
