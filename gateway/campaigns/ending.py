"""Ends what waits of a campaign, or of a variant of it, that was stopped: bit by bit, so that nobody waits for it.

That it leaves no more is not up to this: the gate passes it over from the commit that stopped it.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.message import Status
from gateway.store import campaign_members, campaign_stops, campaigns, messages
from gateway.store.database import Store

#: So much is ended in one transaction.
END_SLICE: Final = 50


class Ending:
    """Ends and leaves out."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def end(self, campaign_id: str, sentence: str, reason: str, *, variant: int | None = None) -> None:
        """End every message that waits, leave out everybody who has none; then it need not be stopped any more."""
        while await self._store.write(partial(self._end_some, campaign_id, sentence, variant)):
            pass
        await self.leave_out(campaign_id, reason, variant=variant)
        which = campaign_stops.EVERY if variant is None else variant
        await self._store.write(lambda connection: campaign_stops.lift(connection, campaign_id, variant=which))

    async def leave_out(self, campaign_id: str, reason: str, *, variant: int | None = None) -> None:
        """Nobody who waits gets a message any more."""
        while await self._store.write(partial(self._leave_some, campaign_id, reason, variant)):
            pass

    def _end_some(self, campaign_id: str, sentence: str, variant: int | None, connection: Connection) -> int:
        ids = campaigns.waiting_messages(connection, campaign_id, END_SLICE, variant=variant)
        for each in ids:
            messages.end_waiting(connection, each, Status.CANCELED, self._clock.now_us(), code=None, sentence=sentence)
        return len(ids)

    def _leave_some(self, campaign_id: str, reason: str, variant: int | None, connection: Connection) -> int:
        count = campaign_members.leave_out(connection, campaign_id, reason, END_SLICE, variant=variant)
        if count:
            campaigns.count(connection, campaign_id, left_out=count)
        return count
