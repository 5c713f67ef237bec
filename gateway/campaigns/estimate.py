"""How long a campaign will take: from the parts that its messages have, and the time that each modem takes for one.

What a modem takes is measured over its last marks; one without any is taken for a common stick.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.campaign import CampaignEstimate

#: What a stick takes for one part, where nothing was measured yet, in seconds.
USUAL_S: Final = 3.0


def seconds_of(parts: int, submit_s: Sequence[float]) -> float | None:
    """How long so many parts take over modems that take so long for each; None without any modem."""
    if not submit_s:
        return None
    return parts / sum(1.0 / max(each, 0.001) for each in submit_s)


def estimate_of(
    recipients: int, parts_each: float, submit_s: Sequence[float], *, per_minute: int | None, now_us: int
) -> CampaignEstimate:
    """The estimate of a campaign; a pace that is slower than the modems is what counts."""
    parts = round(recipients * parts_each)
    seconds = seconds_of(parts, submit_s)
    if seconds is not None and per_minute is not None:
        seconds = max(seconds, recipients * 60.0 / per_minute)
    done_us = None if seconds is None else now_us + round(seconds * 1_000_000)
    return CampaignEstimate(recipients, parts, len(submit_s), seconds, done_us)
