"""An alert of a monitoring system, and what somebody was told of it last. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert as a monitoring system tells of it. `fingerprint` names it for as long as it comes and goes;
    `starts_us` is None where nobody says since when."""

    fingerprint: str
    firing: bool
    starts_us: int | None = None
    severity: str = ""
    #: What templates may name.
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    #: Of one that is over, by the clock of `starts_us`; None where nobody says.
    ends_us: int | None = None


@dataclass(frozen=True, slots=True)
class AlertState:
    """What a person was told last of an alert: that it fires or is over, when, and of which start of it; of one that is
    over `starts_us` is up to when a start belongs to what is over.

    `changes` were told since `since_us`; `edition` counts how often this was written.
    """

    firing: bool
    told_us: int
    starts_us: int
    since_us: int
    changes: int = 1
    edition: int = 1
