"""What a SIM may still send. Pure: counts and limits in, a verdict out.

Parts are counted by minute, day and month, people by month. Days and months begin at midnight in the gateway's time
zone, a month on the SIM's billing day, or on the last day of a month that is shorter.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo

from gateway.config.limits import SimLimits
from gateway.message import Rule
from gateway.rules.verdict import Allow, Defer, Verdict, strictest

_MINUTE_US = 60_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DECEMBER = 12
#: Near is four fifths.
_NEAR = (4, 5)


@dataclass(frozen=True, slots=True)
class Spans:
    """The minute, day and month of an instant: when they began, and when the next ones do. Microseconds UTC."""

    minute_us: int
    day_us: int
    month_us: int
    next_day_us: int
    next_month_us: int

    @property
    def next_minute_us(self) -> int:
        """When the next minute begins."""
        return self.minute_us + _MINUTE_US


def spans_at(now_us: int, billing_day: int, zone: tzinfo) -> Spans:
    """The spans that an instant lies in."""
    today = (_EPOCH + now_us * _MICROSECOND).astimezone(zone).date()
    begun = _billing_date(today.year, today.month, billing_day)
    if begun > today:
        begun = _billing_date(*_month_before(today), billing_day)
    following = _billing_date(*_month_after(begun), billing_day)
    return Spans(
        minute_us=now_us - now_us % _MINUTE_US,
        day_us=_midnight_us(today, zone),
        month_us=_midnight_us(begun, zone),
        next_day_us=_midnight_us(today + timedelta(days=1), zone),
        next_month_us=_midnight_us(following, zone),
    )


@dataclass(frozen=True, slots=True)
class Counts:
    """What a SIM was used for in the spans that an instant lies in: parts, and people of the month."""

    minute: int = 0
    day: int = 0
    month: int = 0
    people: int = 0

    def plus(self, parts: int, people: int) -> Counts:
        """With so many more."""
        return Counts(self.minute + parts, self.day + parts, self.month + parts, self.people + people)


def may_send(limits: SimLimits, counts: Counts, spans: Spans, *, parts: int, new_people: int) -> Verdict:
    """Whether so many more parts, to so many people who were not written to this month, fit.

    A minute's limit is a pace: it is asked of one part at a time, since a text may have more parts than a minute takes.
    """
    return strictest(_verdicts(limits, counts, spans, parts, new_people))


def _verdicts(limits: SimLimits, counts: Counts, spans: Spans, parts: int, new_people: int) -> Iterator[Verdict]:
    yield _within(limits.per_minute, counts.minute, min(parts, 1), spans.next_minute_us, "parts a minute")
    yield _within(limits.per_day, counts.day, parts, spans.next_day_us, "parts a day")
    yield _within(limits.per_month, counts.month, parts, spans.next_month_us, "parts a month")
    yield _within(limits.recipients_per_month, counts.people, new_people, spans.next_month_us, "recipients a month")


def _within(limit: int | None, used: int, more: int, until_us: int, what: str) -> Verdict:
    if limit is None or more == 0 or used + more <= limit:
        return Allow()
    return Defer(until_us, Rule.SIM_LIMIT, f"the SIM's limit of {limit} {what} leaves no room")


@dataclass(frozen=True, slots=True)
class Alarm:
    """A limit of a day or a month that was come near to, or reached: the event's type, a sentence, the limit's key in
    the configuration, how much it is, and how much of it is used."""

    kind: str
    detail: str
    limit: str
    most: int
    used: int


def alarms(limits: SimLimits, before: Counts, after: Counts, *, held: bool = True) -> list[Alarm]:
    """What is to be told of a count that went from `before` to `after`: each crossing once.

    `held`: the limit holds what was counted. Of what it does not hold it is told when that goes beyond.
    """
    found: list[Alarm] = []
    for key, limit, was, now, what in (
        ("per_day", limits.per_day, before.day, after.day, "parts a day"),
        ("per_month", limits.per_month, before.month, after.month, "parts a month"),
        ("recipients_per_month", limits.recipients_per_month, before.people, after.people, "recipients a month"),
    ):
        if limit is None or now <= was:
            continue
        if not held and was <= limit < now:
            sentence = f"messages that nothing holds go beyond the limit of {limit} {what}"
            found.append(Alarm("sim.limit", sentence, key, limit, now))
        elif was < limit <= now:
            if held:
                found.append(Alarm("sim.limit", f"the limit of {limit} {what} is reached", key, limit, now))
        elif was * _NEAR[1] < limit * _NEAR[0] <= now * _NEAR[1]:
            found.append(Alarm("sim.limit_near", f"{now} of {limit} {what} are used", key, limit, now))
    return found


def _midnight_us(day: date, zone: tzinfo) -> int:
    return (datetime(day.year, day.month, day.day, tzinfo=zone) - _EPOCH) // _MICROSECOND


def _billing_date(year: int, month: int, day: int) -> date:
    return date(year, month, min(day, monthrange(year, month)[1]))


def _month_before(day: date) -> tuple[int, int]:
    return (day.year - 1, _DECEMBER) if day.month == 1 else (day.year, day.month - 1)


def _month_after(day: date) -> tuple[int, int]:
    return (day.year + 1, 1) if day.month == _DECEMBER else (day.year, day.month + 1)
