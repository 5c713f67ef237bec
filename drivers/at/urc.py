"""Unsolicited result codes: which lines are not part of an answer, and which of them bring a line along.

Matched before an answer is read, so that news can come anywhere in it. The catalogue holds what modems are known to say
by themselves; a line in extended syntax whose name is not the running command's is unsolicited as well.
"""

from __future__ import annotations

import re
from functools import lru_cache

from drivers.at.parameters import split_parameters

# TS 27.005, 3.4.1 and 3.5.2 in PDU mode: the PDU stands on the next line.
WITH_PDU = frozenset({"+CMT", "+CDS", "+CBM"})

# Never an answer to a command that reads them, whatever is running.
_ALWAYS = frozenset({"+CMTI", "+CDSI", "+CBMI", *WITH_PDU})

#: Among the names of an answer: it may bear any name but those of news that is always news.
ANY_NAME = "*"

# Registration: unsolicited and read form share their name (TS 27.007, 7.2, 10.1.20, 10.1.22).
_REGISTRATION = frozenset({"+CREG", "+CGREG", "+CEREG", "+C5GREG"})

# Words that a line begins with, where more follows: SIMCom.
_WORDS_WITH_MORE = ("MISSED_CALL:", "VOICE CALL:")

# Words without a name, with the families that say them: V.250; SIMCom; Quectel; Cinterion; Sierra.
_WORDS = frozenset(
    {
        "RING",
        "RDY",
        "CALL READY",
        "SMS READY",
        "PB DONE",
        "SMS DONE",
        "NORMAL POWER DOWN",
        "UNDER-VOLTAGE POWER DOWN",
        "UNDER-VOLTAGE WARNNING",
        "OVER-VOLTAGE POWER DOWN",
        "OVER-VOLTAGE WARNNING",
        "POWERED DOWN",
        "MISSED_CALL",
    }
)

# What tells that the modem has just started, and so has forgotten its settings.
RESTARTS = frozenset({"RDY", "^SYSSTART", "+SYSSTART"})

# Only ever an answer: while no such command runs, it is the overdue answer to one that was given up.
_ANSWERS_ONLY = frozenset(
    {
        "+CCID",
        "+CMGF",
        "+CMGL",
        "+CMGR",
        "+CMGS",
        "+CMGW",
        "+CMSS",
        "+CNMA",
        "+CNMI",
        "+COPS",
        "+CPMS",
        "+CRSM",
        "+CSCA",
        "+CSMS",
    }
)

# The memory, or one of them, is full: Huawei; Multi-Tech; Cinterion, whose 0 says that there is room again; Quectel and
# others that tell much else under the same name.
_FULL = frozenset({"^SMMEMFULL", "+WMGF"})
_OVERFLOW = "^SMGO"
_INDICATORS = frozenset({"+QIND", "+CIEV"})

_CALLS = frozenset({"RING", "+CRING", "+CLIP", "+CCWA"})

# What is not taken for the answer to a command whose answers may bear any name.
_NEWS_TO_ANY = _ALWAYS | _CALLS | RESTARTS | _FULL | {_OVERFLOW, *_INDICATORS, "+CUSD", "+CPIN"}

_NAME = re.compile(r"([+^*#$%!&][A-Z][A-Z0-9_\-]*)\s*(?::|$)", re.IGNORECASE)
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")


# Of one line several ask, one after the other.
@lru_cache(maxsize=16)
def name_of(line: str) -> str:
    """The name before the colon in capitals (``+CMTI``), the word itself (``RING``), or nothing."""
    found = _NAME.match(line)
    if found is not None:
        return found.group(1).upper()
    upper = line.upper()
    if upper in _WORDS:
        return upper
    return next((word.rstrip(":") for word in _WORDS_WITH_MORE if upper.startswith(word)), "")


def body_of(line: str) -> str:
    """What stands behind the name and its colon; the whole line when it has no name."""
    found = _NAME.match(line)
    return line if found is None else line[found.end() :].strip()


def is_unsolicited(line: str, answering: frozenset[str]) -> bool:
    """Whether `line` is news and not part of the answer to a command whose answers are named `answering`."""
    name = name_of(line)
    if ANY_NAME in answering:
        return name in _NEWS_TO_ANY  # the settings that AT&V lists look like news of the registration
    if not name or name in _ANSWERS_ONLY:
        return False
    if name in answering:
        return name in _ALWAYS or (name in _REGISTRATION and is_registration_news(body_of(line)))
    return True


def is_overdue(line: str, answering: frozenset[str]) -> bool:
    """Whether `line` can only be the answer to a command that is not running."""
    name = name_of(line)
    return name in _ANSWERS_ONLY and name not in answering and ANY_NAME not in answering


def is_registration_news(body: str) -> bool:
    """``<stat>[,<lac>,<ci>…]`` is news, ``<n>,<stat>[,…]`` an answer: a status has one or two digits, an area four."""
    parameters = split_parameters(body)
    return len(parameters) < 2 or not (parameters[1].isdigit() and len(parameters[1]) <= 2)


def tells_full(line: str) -> bool:
    """Whether the news is that a memory for messages is full."""
    name = name_of(line)
    if name == _OVERFLOW:
        return body_of(line) != "0"
    return name in _FULL or (name in _INDICATORS and "FULL" in line.upper())


def announces_call(name: str) -> bool:
    """Whether a call comes in, which may end with an unsolicited NO CARRIER."""
    return name in _CALLS


def is_hexadecimal(line: str) -> bool:
    """Whether the line can be a PDU."""
    return _HEXADECIMAL.fullmatch(line) is not None
