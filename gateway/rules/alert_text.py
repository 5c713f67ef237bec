"""How alerts are worded: from the templates of the configuration, in as many parts as they may take.

What stands in labels was written by programs and by anybody who may name a host: control characters go, line breaks
become blanks, and a text that is too long is cut between two characters as people see them, never within an emoji.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import regex

from gateway.alert import Alert
from gateway.config.hook_settings import AlertWords

#: Whether a text takes no more parts than it may.
Fits = Callable[[str], bool]

_CUT: Final = "..."
_PLACE: Final = re.compile(r"\{([a-z]+)\}")
_GRAPHEME: Final = regex.compile(r"\X")
#: Joins emoji; every other character that is not seen goes.
_JOINER: Final = "\u200d"
_UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
#: No text of an SMS is longer than 255 parts; nobody reads more of one label.
_LONGEST: Final = 2000


def clean(text: str, most: int = _LONGEST) -> str:
    """One line without anything that is not seen."""
    spaced = " ".join(text[: 4 * most].split())
    seen = "".join(each for each in spaced if each == _JOINER or unicodedata.category(each) not in _UNSEEN)
    return " ".join(seen.split())[:most]


def worded(alerts: Sequence[Alert], words: AlertWords, fits: Fits, *, more: int = 0) -> str:
    """The text for alerts that all fire, or are all resolved; `more` of them are not listed here.

    A severity is named where all have the same.
    """
    said = clean(alerts[0].severity) if len({each.severity for each in alerts}) == 1 else ""
    severity = (said or words.severity).upper()
    if len(alerts) + more == 1:
        template = words.firing if alerts[0].firing else words.resolved
        return cut(filled(template, {**alerts[0].values, "severity": severity}), fits)
    template = words.firing_group if alerts[0].firing else words.resolved_group
    return _of_several(template, severity, alerts, fits, more)


def filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its values; what is not known is left out."""
    return clean(_PLACE.sub(lambda place: clean(values.get(place[1], "")), template))


def cut(text: str, fits: Fits) -> str:
    """The text, or as much of its beginning as fits."""
    if fits(text):
        return text
    characters = _GRAPHEME.findall(text)
    return _beginning(characters, _last(lambda count: fits(_beginning(characters, count)), len(characters)))


def _of_several(template: str, severity: str, alerts: Sequence[Alert], fits: Fits, more: int) -> str:
    """As many of the names as there is room for, and how many others there are."""
    total = len(alerts) + more
    names = [clean(f"{each.values.get('alertname', '')} {each.values.get('instance', '')}") for each in alerts]
    # Several of one name and place are one to a person.
    told = [name for name in dict.fromkeys(names) if name]

    def made(count: int) -> str:
        left = total - count if count < len(told) or more else 0
        listed = ", ".join([*told[:count], *([f"+{left}"] if left else [])])
        return filled(template, {"severity": severity, "count": str(total), "names": listed})

    return cut(made(_last(lambda count: fits(made(count)), len(told))), fits)


def _beginning(characters: Sequence[str], count: int) -> str:
    return "".join(characters[:count]).rstrip() + _CUT


def _last(holds: Callable[[int], bool], most: int) -> int:
    """The greatest number up to `most` for which it holds, as it does for all below; 0 if it holds for none."""
    least = 0
    while least < most:
        middle = (least + most + 1) // 2
        if holds(middle):
            least = middle
        else:
            most = middle - 1
    return least
