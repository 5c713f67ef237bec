"""Alerts of monitoring systems: what is new to a person is told, what is known already is not told again.

A monitoring system tells of an alert again and again while it fires (Alertmanager's `repeat_interval`, both of a pair,
whole groups because of one new member). Of each alert a person hears that it fires, and that it is over; once more
only after `repeat_us`. One that comes and goes is told so often as a cap says, and then its last state when there is
room again, so that the last thing that a person heard is true.

Pure: what is known of an alert, and what comes in; out comes what becomes of it. Instants are microseconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from gateway.alert import Alert, AlertState
from gateway.config.durations import read_cap

#: The clocks of a pair, or one evaluation more or less, do not make another incident.
_SAME_US = 5 * 60 * 1_000_000


class Fate(StrEnum):
    """What becomes of an alert for one person."""

    TOLD = "told"
    #: The person knows.
    JOINED = "joined"
    #: It is over, and the person never heard of it.
    UNTOLD = "untold"
    #: It comes and goes: its last state is told later.
    DAMPED = "damped"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an alert, what is to be remembered of it, and for one that is damped from when it is told."""

    fate: Fate
    state: AlertState | None
    send_us: int | None = None


class AlertRules:
    """Decides by two durations and a cap (`HookSettings`)."""

    def __init__(self, repeat_us: int, flapping: str | None) -> None:
        self._repeat_us = repeat_us
        self._most, self._span_us = read_cap(flapping) if flapping is not None else (0, 0)

    def decide(self, alert: Alert, known: AlertState | None, now_us: int) -> Outcome:
        """What becomes of an alert of which this is known."""
        if not alert.firing:
            if known is None or not known.firing:
                return Outcome(Fate.UNTOLD, known)
            return self._changed(alert, known, now_us)
        if known is None:
            return self._changed(alert, None, now_us)
        starts_us = _starts(alert, now_us)
        # A clock that was set back must not silence anything.
        age_us = abs(now_us - known.told_us)
        if not known.firing:
            # The other one of a pair tells late what is over; a start that is told long after may be true.
            late = alert.starts_us is not None and starts_us <= known.starts_us and age_us < _SAME_US
            return Outcome(Fate.JOINED, known) if late else self._changed(alert, known, now_us)
        if starts_us > known.starts_us + _SAME_US and alert.starts_us is not None:
            # Nobody told of its end: it was silenced, or the monitoring system was away.
            return self._changed(alert, known, now_us)
        if age_us < self._repeat_us:
            return Outcome(Fate.JOINED, known)
        return Outcome(Fate.TOLD, replace(known, told_us=now_us))

    def _changed(self, alert: Alert, known: AlertState | None, now_us: int) -> Outcome:
        starts_us = _starts(alert, now_us)
        if known is not None and not alert.firing:
            # What begins after its end, by the same clock, is another incident.
            starts_us = known.starts_us + _SAME_US if alert.ends_us is None else max(known.starts_us, alert.ends_us)
        state = AlertState(alert.firing, now_us, starts_us, now_us)
        if known is None:
            return Outcome(Fate.TOLD, state)
        if not known.since_us <= now_us < known.since_us + self._span_us:
            return Outcome(Fate.TOLD, replace(state, edition=known.edition))
        state = replace(state, since_us=known.since_us, changes=known.changes + 1, edition=known.edition)
        if state.changes <= self._most:
            return Outcome(Fate.TOLD, state)
        return Outcome(Fate.DAMPED, state, known.since_us + self._span_us)


def _starts(alert: Alert, now_us: int) -> int:
    return now_us if alert.starts_us is None else alert.starts_us
