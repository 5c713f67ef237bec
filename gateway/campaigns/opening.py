"""When a campaign may queue: within its own windows; with a pace, else only in the hours of its category.

Without either it queues at once, and the rules hold each message until its recipient's hour. With a pace that would
gather a night's messages into the first minute of the morning.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateway.campaign import CampaignView
from gateway.config.settings import Settings
from gateway.outbound.right_moment import moments_of


@dataclass(frozen=True, slots=True)
class _Hours:
    name: str
    quiet_hours: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    preferred: tuple[str, ...] = ()
    profile: str | None = None


class Openings:
    """Judges by the gateway's own place."""

    def __init__(self, settings: Settings) -> None:
        self._categories = settings.categories
        self._moments = moments_of(settings)

    def closed_until_us(self, campaign: CampaignView, now_us: int) -> int | None:
        """The first moment at which it may queue; None if it may now, or never within a year."""
        hours = self._hours(campaign)
        if hours is None:
            return None
        closed = self._moments.judge(hours, "", now_us)
        return None if closed is None else closed.until_us

    def _hours(self, campaign: CampaignView) -> _Hours | None:
        wanted = campaign.wanted
        category = self._categories.get(campaign.category)
        if wanted.windows:
            return _Hours(campaign.category, windows=wanted.windows)
        if wanted.per_minute is None or category is None or not (category.quiet_hours or category.windows):
            return None
        return _Hours(campaign.category, category.quiet_hours, category.windows)
