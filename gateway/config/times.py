"""How times are written: durations, spans of days and hours, and caps. Pure syntax; the rules give it meaning."""

from __future__ import annotations

import re

from gateway.clock import SECOND_US
from gateway.config.durations import UNITS_S, duration_us
from gateway.config.shapes import Shape, Wrong, text

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_LONGEST_US = 100 * 365 * 86_400 * SECOND_US
_DURATION_FORM = 'must be a duration such as "90s", "15m", "24h" or "30d"'
_CAP = re.compile(r"([0-9]{1,9})/([0-9]{1,9}[smhdy])")
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
_DAY = "(?:" + "|".join(DAYS) + ")"
_SPAN = re.compile(rf"(?P<days>{_DAY}(?:-{_DAY})?|holidays)?\s*(?P<times>{_TIME}-(?:{_TIME}|24:00))?")
_SPAN_FORM = 'must be hours "21:00-08:00", days "sun" or "mon-fri", "holidays", or days and hours "mon-fri 17:00-20:00"'


def duration(*, least_s: int = 1, most_s: int | None = None) -> Shape[int]:
    """A duration in microseconds, at least and at most so many seconds."""

    def shape(value: object) -> int:
        found = _duration_us(value)
        if found < least_s * SECOND_US:
            raise Wrong(f'must be at least "{least_s}s"')
        if found > (_LONGEST_US if most_s is None else most_s * SECOND_US):
            raise Wrong("is too long" if most_s is None else f'must be at most "{_spoken(most_s)}"')
        return found

    return shape


def span(value: object) -> str:
    """A span of days, hours or both, in one blank-separated form. It may cross midnight: `21:00-08:00`."""
    found = text(value).strip()
    match = _SPAN.fullmatch(found)
    if match is None or not (match["days"] or match["times"]):
        raise Wrong(_SPAN_FORM)
    times = match["times"]
    if times and times[:5] == times[6:]:
        raise Wrong("begins and ends at the same minute: leave the hours out to mean the whole day")
    return " ".join(word for word in (match["days"], times) if word)


def cap(value: object) -> str:
    """So many messages in so long: `1/24h`."""
    match = _CAP.fullmatch(text(value))
    if match is None:
        raise Wrong('must be a count and a duration, such as "1/24h" or "10/30d"')
    if int(match[1]) == 0:
        raise Wrong("allows nothing: a cap must be at least 1")
    duration()(match[2])
    return match[0]


def _duration_us(value: object) -> int:
    found = duration_us(value) if isinstance(value, str) else None
    if found is None:
        raise Wrong(_DURATION_FORM)
    return found


def _spoken(seconds: int) -> str:
    """The shortest way to write a duration."""
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % UNITS_S[unit] == 0)
    return f"{seconds // UNITS_S[unit]}{unit}"
