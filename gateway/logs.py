"""Logging: one JSON object a line on standard error, plain text where a person reads it, and a wall before both.

Callers never log a number, a text or a secret. The formatters mask what looks like one all the same, in the message,
in every field and in tracebacks: a second wall, for the day somebody forgets.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import Mapping
from typing import TextIO, cast

from gateway.clock import rfc3339

LEVELS = ("debug", "info", "warning", "error")

#: What every record has; everything else came in as `extra`.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
#: Fields of instants, durations and sizes: as long as a number of a person, and none.
_UNITS = ("_us", "_ns", "_bytes")
_SHORTEST_NUMBER = 6
_MASK = "•••"

# What may stand although it has many digits comes first; the rest that looks like a number is masked.
_KEPT = (
    r"(?<!\+)\b[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}\b",  # an id
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])(?::\d{1,5}\b)?",  # an IPv4 address, perhaps with its port
    r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?!\d)",  # a date, perhaps with its time
)
_NUMBER = r"(?:\+|\b00)?\d(?:[ .\-/()]{0,2}\d){5,}"
_BEARER = r"(?i:bearer)\s+\S+"
_SENSITIVE = re.compile(f"(?P<kept>{'|'.join(_KEPT)})|{_BEARER}|{_NUMBER}")


def set_up(level: str, stream: TextIO | None = None) -> None:
    """Send everything from `level` up to `stream` (standard error): readable on a terminal, JSON elsewhere."""
    goal = stream if stream is not None else sys.stderr
    handler = logging.StreamHandler(goal)
    handler.setFormatter(PlainFormatter() if goal.isatty() else JsonFormatter())
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Its lines name addresses and paths of each request; the gateway's own lines say what happened.
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    # What it says at each start is how it works, not what happened.
    logging.getLogger("alembic").setLevel(logging.WARNING)


def mask(text: str) -> str:
    """The text with everything hidden that could be a number of six digits or more, or a bearer token."""
    return _SENSITIVE.sub(lambda match: match["kept"] or _MASK, text)


class JsonFormatter(logging.Formatter):
    """One object a line: `at`, `level`, `logger`, `message`, the extra fields, and `trace` of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        line: dict[str, object] = {
            "at": _instant(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": mask(record.getMessage()),
            **_extras(record),
        }
        if trace := _trace(self, record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False, default=_shown)


class PlainFormatter(logging.Formatter):
    """A line for people: time, level, message, and the extra fields behind it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end; a trace follows on lines of its own."""
        fields = "".join(f" {key}={_one_line(str(value))}" for key, value in _extras(record).items())
        message = _one_line(mask(record.getMessage()))
        line = f"{_instant(record)[11:23]} {record.levelname.lower():7} {message}{fields}"
        trace = _trace(self, record)
        return f"{line}\n{trace}" if trace else line


def _instant(record: logging.LogRecord) -> str:
    return rfc3339(int(record.created * 1_000_000))


def _extras(record: logging.LogRecord) -> dict[str, object]:
    """What was given as `extra`, masked."""
    return {key: _masked(key, value) for key, value in vars(record).items() if key not in _STANDARD}


def _masked(key: str, value: object) -> object:
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        short = len(str(abs(value))) < _SHORTEST_NUMBER
        return value if short or key.endswith(_UNITS) else _MASK
    if isinstance(value, Mapping):
        inner = cast("Mapping[object, object]", value)
        return {mask(str(name)): _masked(str(name), one) for name, one in inner.items()}
    if isinstance(value, list | tuple):
        return [_masked(key, one) for one in cast("list[object]", value)]
    return mask(_shown(value))


def _shown(value: object) -> str:
    return str(value)


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str | None:
    """The masked traceback, None without one."""
    if record.exc_info and record.exc_info[0] is not None:
        return mask(formatter.formatException(record.exc_info))
    return None


def _one_line(text: str) -> str:
    """Control characters escaped: a line cannot be forged, nor a terminal steered."""
    return "".join(character if character.isprintable() else repr(character)[1:-1] for character in text)
