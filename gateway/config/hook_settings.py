"""Alerts of monitoring systems as they are configured, as plain values that rules may know too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

#: What a template of alerts may name; of several alerts in one message, the second line.
ALERT_NAMES = ("severity", "alertname", "instance", "job", "summary", "description")
GROUP_NAMES = ("severity", "count", "names")

_SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class AlertWords:
    """Templates: of one alert that fires or is resolved, and of several; and what stands for a severity that is not
    told."""

    firing: str
    resolved: str
    firing_group: str
    resolved_group: str
    severity: str


#: By language; English for every other.
ALERT_WORDS: Mapping[str, AlertWords] = MappingProxyType(
    {
        "en": AlertWords(
            "{severity}: {alertname} {instance} {summary}",
            "RESOLVED: {alertname} {instance} {summary}",
            "{severity}: {count} alerts: {names}",
            "RESOLVED: {count} alerts: {names}",
            "ALERT",
        ),
        "fr": AlertWords(
            "{severity} : {alertname} {instance} {summary}",
            "RÉTABLI : {alertname} {instance} {summary}",
            "{severity} : {count} alertes : {names}",
            "RÉTABLI : {count} alertes : {names}",
            "ALERTE",
        ),
    }
)


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Table `[hooks]`. Within `repeat_after_us` an alert that goes on firing is told once; more changes of one than the
    cap `flapping` wait, None for none; `severity` is the category of a severity; a text takes `max_parts` at most."""

    repeat_after_us: int = 4 * 3600 * _SECOND_US
    flapping: str | None = "4/1h"
    max_parts: int = 2
    words: AlertWords = ALERT_WORDS["en"]
    severity: Mapping[str, str] = field(default_factory=lambda: {"critical": "emergency"})


#: What holds where nothing is written.
USUAL_HOOKS = HookSettings()
