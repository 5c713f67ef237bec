"""What a SIM may be used for: the limits of a modem, as plain values that rules may know too."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SimLimits:
    """Table `limits` of a modem: parts, and people, that its SIM may be used for. None is no limit."""

    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    recipients_per_month: int | None = None
    billing_day: int = 1

    def __bool__(self) -> bool:
        return any((self.per_minute, self.per_day, self.per_month, self.recipients_per_month))


#: A SIM that may be used for anything.
NO_LIMITS = SimLimits()
