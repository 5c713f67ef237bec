"""Which variant is better, asked at the campaign's time of decision; and the guard that stops one which many leave."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from gateway.campaign import FIRST, CampaignView, Decision
from gateway.campaigns.tracking import Deciding
from gateway.rules.ab_test import must_stop
from gateway.rules.proportions import Share
from gateway.store import campaign_counts
from gateway.store.database import Store

#: After the last of the tried variants may leave, where nobody said when.
DECIDE_AFTER_US: Final = 24 * 3600 * 1_000_000
#: How often the guard looks.
GUARD_EVERY_US: Final = 60 * 1_000_000


def decides_at_us(campaign: CampaignView) -> int | None:
    """When the test of a campaign that was started is judged; None where there is none, or it was."""
    wanted = campaign.wanted
    if not wanted.tests or campaign.decided_us is not None or campaign.started_us is None:
        return None
    if wanted.decide_us is not None:
        return wanted.decide_us
    begins_us = max((each.send_us or 0 for each in wanted.variants), default=0)
    return max(begins_us, campaign.started_us) + (wanted.decide_after_us or DECIDE_AFTER_US)


class Judge:
    """Counts, and asks who knows statistics."""

    def __init__(self, store: Store, deciding: Deciding) -> None:
        self._store = store
        self._deciding = deciding

    async def decide(self, campaign: CampaignView) -> Decision:
        """What came of the test. What is stopped does not win."""
        counts = await self._store.read(lambda connection: self._counts(connection, campaign))
        found = self._deciding.decide(campaign.wanted.metric, counts)
        if found.winner is None or found.winner not in campaign.stopped:
            return found
        reason = f"{found.reason}; but the variant was stopped: {campaign.stopped[found.winner]}"
        return Decision(None, reason, found.counts, found.facts)

    def _counts(self, connection: Connection, campaign: CampaignView) -> list[tuple[int, int]]:
        metric = campaign.wanted.metric
        tried = campaign_counts.left(connection, campaign.id, tried_only=True)
        did = campaign_counts.did(connection, campaign.id, metric, tried_only=True)
        return [(tried.get(at, 0), did.get(at, 0)) for at in range(len(campaign.wanted.variants))]

    async def leaving(self, campaign: CampaignView) -> list[int]:
        """The variants that the guard stops now."""
        guard = campaign.wanted.guard
        if guard is None:
            return []

        def work(connection: Connection) -> list[int]:
            left = campaign_counts.left(connection, campaign.id)
            gone = campaign_counts.did(connection, campaign.id, "opt_out")
            return [
                at
                for at, count in left.items()
                if at not in campaign.stopped
                and count >= guard.least
                and must_stop(Share(min(gone.get(at, 0), count), count), guard.opt_out_rate)
            ]

        return await self._store.read(work)


def otherwise_says(campaign: CampaignView) -> str:
    """What the others get where no variant is better, as the end of a sentence."""
    first = campaign.wanted.variants[0].name
    return f"the others get {first}" if campaign.wanted.otherwise == FIRST else "the others are split by the weights"
