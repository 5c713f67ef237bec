"""What a SIM and a person may be used for at most, as plain values that rules may know too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class SimLimits:
    """Table `limits` of a modem: parts, and people, that its SIM may be used for. None is no limit."""

    per_minute: int | None = None
    per_day: int | None = None
    per_month: int | None = None
    recipients_per_month: int | None = None
    billing_day: int = 1

    def __bool__(self) -> bool:
        written = (self.per_minute, self.per_day, self.per_month, self.recipients_per_month)
        return any(each is not None for each in written)


#: A SIM that may be used for anything.
NO_LIMITS = SimLimits()


@dataclass(frozen=True, slots=True)
class StormSettings:
    """Table `[storms]`: what is done when much is said to one person at once.

    The same text within `identical_us` is joined into one message; None sends each. Different texts, more of them than
    the cap `burst`, become one digest; None makes none. `emergency` says whether those of that category do too.
    """

    identical_us: int | None = 600_000_000
    burst: str | None = None
    emergency: bool = False


@dataclass(frozen=True, slots=True)
class RecipientSettings:
    """Table `[recipients]`: caps of what one person gets in the categories `over` together."""

    caps: tuple[str, ...] = ("10/30d",)
    over: tuple[str, ...] = ("promotional",)


@dataclass(frozen=True, slots=True)
class TrafficSettings:
    """Table `[traffic]`: caps, in parts, of all that is sent, and of what is sent to numbers that begin so.

    `alarm_new_countries`: an event tells of the first part to a country that a real modem never sent to.
    """

    caps: tuple[str, ...] = ()
    prefixes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    alarm_new_countries: bool = True

    def __bool__(self) -> bool:
        return bool(self.caps or self.prefixes)


#: What holds where nothing is written.
USUAL_STORMS, USUAL_RECIPIENTS, USUAL_TRAFFIC = StormSettings(), RecipientSettings(), TrafficSettings()
