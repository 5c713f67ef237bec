"""How long a written duration is. Pure: also the rules read durations."""

from __future__ import annotations

import re

UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "y": 365 * 86_400}

_DURATION = re.compile(r"([0-9]{1,9})([smhdy])")
SECOND_US = 1_000_000


def duration_us(written: str) -> int | None:
    """Microseconds of a text such as "90s" or "24h"; None if it is no duration."""
    match = _DURATION.fullmatch(written)
    return None if match is None else int(match[1]) * UNITS_S[match[2]] * SECOND_US


def read_cap(written: str) -> tuple[int, int]:
    """The count and the duration, in microseconds, of a cap such as "1/24h" that the configuration has let through."""
    count, _, span = written.partition("/")
    span_us = duration_us(span)
    assert span_us is not None, "it was checked when it was read"
    return int(count), span_us
