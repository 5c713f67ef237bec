"""A rule by which an event of an application becomes a message, and the moment at which that one leaves. Pure.

The moment is so long after the event, so long before it, or so many days before it at a time of day where the recipient
is. Instants are microseconds UTC, durations microseconds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import time, timedelta, tzinfo
from typing import Any, Final

from gateway.campaigns.recurring import wall_us
from gateway.clock import SECOND_US, to_datetime

#: What an automation may be called.
AUTOMATION_NAME: Final = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MOST_DAYS: Final = 365
_LONGEST_US: Final = 366 * 24 * 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class AutomationRule:
    """What is sent, and when. Of `after_us`, `before_us` and `days_before` with `at` one is said, or none: at once."""

    texts: Mapping[str, str] = field(default_factory=dict[str, str])
    template: str | None = None
    category: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict[str, Any])
    after_us: int | None = None
    before_us: int | None = None
    days_before: int | None = None
    at: str | None = None
    expect: tuple[str, ...] = ()
    expires_after_us: int | None = None

    @property
    def is_before(self) -> bool:
        """Whether it tells of what is to come: then nothing leaves once that is over."""
        return self.before_us is not None or self.days_before is not None

    def moment_us(self, event_us: int, zone: tzinfo) -> int:
        """When its message leaves, for an event at this instant and a recipient in this zone."""
        if self.before_us is not None:
            return event_us - self.before_us
        if self.days_before is None:
            return event_us + (self.after_us or 0)
        day = to_datetime(event_us).astimezone(zone).date() - timedelta(days=self.days_before)
        match = _TIME.fullmatch(self.at or "")
        assert match is not None, "it was checked when it was made"
        return wall_us(day, time(int(match[1]), int(match[2])), zone)

    def faults(self) -> Iterator[tuple[str, str]]:
        """What is wrong with it: pointer, sentence."""
        if (self.template is None) == (not self.texts):
            yield "/text", "is said by text, texts, or the name of a template"
        said = [each for each in (self.after_us, self.before_us, self.days_before) if each is not None]
        if len(said) > 1:
            yield "/after", "and before and days_before are three ways to say when: one is enough"
        if (self.days_before is None) != (self.at is None):
            yield "/at", 'goes with days_before: {"days_before": 1, "at": "18:00"}'
        elif self.at is not None and not _TIME.fullmatch(self.at):
            yield "/at", 'is a time of day such as "18:00"'
        if self.days_before is not None and not 0 <= self.days_before <= _MOST_DAYS:
            yield "/days_before", f"is from 0 to {_MOST_DAYS}"
        for pointer, value in (("/after", self.after_us), ("/before", self.before_us)):
            if value is not None and value > _LONGEST_US:
                yield pointer, "is more than a year"


def rule_to_json(rule: AutomationRule) -> str:
    """As it is kept."""
    return json.dumps(asdict(rule), ensure_ascii=False, sort_keys=True)


def rule_of_json(text: str) -> AutomationRule:
    """As `rule_to_json` wrote it; a name that this version does not know is passed over."""
    kept: dict[str, Any] = json.loads(text)
    values: dict[str, Any] = {name: kept[name] for name in AutomationRule.__slots__ if name in kept}
    values["expect"] = tuple(values.get("expect", ()))
    return AutomationRule(**values)
