"""Types of single fields, shared by bodies and query strings."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, ClassVar, Final

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from gateway.clock import from_datetime, rfc3339

#: RFC 3339, 5.6, which also lets a blank stand for the T. In a query an unescaped `+` arrives as a blank.
_DATE_TIME: Final = re.compile(
    r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ](?P<time>[0-9]{2}:[0-9]{2}:[0-9]{2})"
    r"(?:\.(?P<fraction>[0-9]{1,9}))?(?P<zone>[Zz]|[-+ ][0-9]{2}:[0-9]{2})?"
)
#: From the epoch to 9999 in UTC, with a year to spare for what is added to a time.
_LATEST_US: Final = from_datetime(datetime.fromisoformat("9998-12-31T00:00:00+00:00"))

_EXAMPLE: Final = "2026-03-01T09:00:00+01:00"
_LIMIT_MAX: Final = 1000
DEFAULT_LIMIT: Final = 50


def parse_time(value: Any) -> int:
    """Microseconds UTC of an RFC 3339 time; without a zone it could be any of a day's hours, so it is refused."""
    match = _DATE_TIME.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise wrong(f"must be an RFC 3339 time, such as {_EXAMPLE}")
    if match["zone"] is None:
        raise wrong(f"has no zone: add Z or an offset, such as {_EXAMPLE}")
    zone = match["zone"].upper().replace(" ", "+")
    try:
        moment = datetime.fromisoformat(f"{match['date']}T{match['time']}.{(match['fraction'] or '0')[:6]:0<6}{zone}")
    except ValueError:
        raise wrong("is no time of the calendar") from None
    instant_us = from_datetime(moment)
    if not 0 <= instant_us <= _LATEST_US:
        raise wrong(f"must lie between {rfc3339(0)} and {rfc3339(_LATEST_US)}")
    return instant_us


def parse_limit(value: Any) -> int:
    """How many items a page may have."""
    digits = value if isinstance(value, str) and re.fullmatch("[0-9]{1,4}", value) else "0"
    limit = int(digits)
    if not 1 <= limit <= _LIMIT_MAX:
        raise wrong(f"must be a whole number from 1 to {_LIMIT_MAX}")
    return limit


def with_plus(value: Any) -> Any:
    """A phone number of a query: an unescaped `+` in front arrives as a blank."""
    return "+" + value[1:] if isinstance(value, str) and value.startswith(" ") else value


def wrong(sentence: str) -> PydanticCustomError:
    """The complaint of a validator about its field."""
    return PydanticCustomError("field", "{sentence}", {"sentence": sentence})


#: The bound is that of a body. It is written because only a string with a bound is looked at for half surrogate pairs.
Text = Annotated[str, StringConstraints(max_length=4 * 1024 * 1024), WithJsonSchema({"type": "string"})]
Name = Annotated[str, StringConstraints(max_length=255)]
Cursor = Annotated[str, StringConstraints(max_length=512)]
#: As they are told: an id, and a time in UTC with milliseconds.
Id = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]
TimeOut = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-.*Z$"), Field(json_schema_extra={"format": "date-time"})]
Time = Annotated[int, PlainValidator(parse_time), WithJsonSchema({"type": "string", "format": "date-time"})]
Limit = Annotated[
    int, PlainValidator(parse_limit), WithJsonSchema({"type": "integer", "minimum": 1, "maximum": _LIMIT_MAX})
]
QueryNumber = Annotated[str, BeforeValidator(with_plus), StringConstraints(max_length=255)]


class Incoming(BaseModel):
    """Base of what comes in: strict, and unknown names are refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    #: Names that a query may give more than once.
    REPEATABLE: ClassVar[frozenset[str]] = frozenset()
    #: Bodies that are taken by a gateway of one simulated modem, for the description of the interface.
    EXAMPLES: ClassVar[tuple[dict[str, Any], ...]] = ()


class Outgoing(BaseModel):
    """Base of what describes an answer: every field is in each answer, and no other is.

    No answer is made by one: it is the words of a dictionary's builder for those who read the description, and tests
    hold the two in step. It is built when it is first asked for.
    """

    model_config = ConfigDict(extra="forbid", defer_build=True, frozen=True)


class Nothing(Outgoing):
    """The answer of a route that has nothing to tell."""


class NoQuery(Incoming):
    """The query of a route that takes none."""


class NoFields(Incoming):
    """The body of a route that can obey nothing in it: what stood there and was passed over would be done wrongly."""


class PageQuery(Incoming):
    """The query of any list."""

    limit: Annotated[Limit, Field(description="items of a page")] = DEFAULT_LIMIT
    cursor: Annotated[Cursor | None, Field(description="`next` of the page before")] = None
