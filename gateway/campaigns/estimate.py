"""How long a campaign will take: its messages by the lanes that they will wait in, and what the modems make of them
(`gateway.outbound.forecast`). A pace of its own that is slower than the modems is what counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from gateway.campaign import CampaignEstimate
from gateway.clock import SECOND_US
from gateway.outbound.draft import Draft
from gateway.outbound.forecast import Leaves
from gateway.ring import Leaving


def leaves_of(recipients: int, samples: Sequence[Draft]) -> list[Leaves]:
    """What so many people will be sent, of whom these are samples: each lane and number of parts has its share, and
    all shares together are everybody."""
    counts = Counter((each.lane, each.parts) for each in samples)
    found: list[Leaves] = []
    seen = shared = 0
    for (lane, parts), count in counts.items():
        seen += count
        until = round(recipients * seen / len(samples))
        found.append(Leaves(lane, until - shared, parts))
        shared = until
    return [each for each in found if each.messages]


def estimate_of(
    recipients: int, leaves: Sequence[Leaves], leaving: Leaving, *, per_minute: int | None, starts_us: int
) -> CampaignEstimate:
    """The estimate of a campaign that starts then; `leaving` is what comes of `leaves`."""
    seconds = leaving.seconds
    if seconds is not None and per_minute is not None:
        seconds = max(seconds, recipients * 60.0 / per_minute)
    done_us = None if seconds is None else starts_us + round(seconds * SECOND_US)
    parts = sum(each.messages * each.parts for each in leaves)
    return CampaignEstimate(recipients, parts, len(leaving.shares), seconds, done_us)
