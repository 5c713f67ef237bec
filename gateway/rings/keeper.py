"""Looks after rings: rings whoever waits for it, the silent again, and further people when it is time; tells how far it
has come.

While a ring is followed it is looked at when something was recorded of its people, a second apart at least, and what
has changed is told (`alert.progress`). Where several hosts share the store one of them has claimed it for a while; what
keeps two from doing the same is in the transactions.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.outbound.waits import Waits
from gateway.ring import RingStatus, Tally
from gateway.rings.look import Look, look_at
from gateway.rings.plan import FILLING, NEEDLESS, RUNG, STOPPED, Plan, plan_of
from gateway.rings.ringer import Ringer, RingOver
from gateway.store import events, ring_members, rings
from gateway.store.database import Store
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

PROGRESS: Final = "alert.progress"
_PAUSE_US: Final = SECOND_US
#: Other hosts' commits are not heard, and may leave a ring behind.
_LOOK_US: Final = 5 * SECOND_US
CLAIM_US: Final = 30 * SECOND_US
_RENEW_US: Final = 15 * SECOND_US
# A ring that was begun and never promised is dropped after this.
ABANDONED_US: Final = 60 * SECOND_US
# A look at many people takes a while; so much of the time is left to others.
_SHARE: Final = 20
# On several hosts events with earlier numbers may come to be seen later.
_MARGIN: Final = 500
# What is done in one look may ask for more to be done at once; what goes on for longer has its turn later.
_MOST_AT_ONCE: Final = 5


class Keeper:
    """Runs until it is cancelled."""

    def __init__(self, store: Store, clock: Clock, ringer: Ringer, waits: Waits, node: str) -> None:
        self._store = store
        self._clock = clock
        self._ringer = ringer
        self._waits = waits
        self._node = node
        self._news = asyncio.Event()
        self._claims: dict[str, int] = {}
        #: The last event that was seen; None before the first look, which is at all of them.
        self._seen: int | None = None

    def nudge(self) -> None:
        """A ring was begun or changed."""
        self._news.set()

    async def run(self) -> None:
        """Look after them until cancelled."""
        try:
            while True:
                self._news.clear()
                begun_us = self._clock.monotonic_us()
                until_us = await self._round()
                took_us = self._clock.monotonic_us() - begun_us
                await self._clock.wait(self._news, until_us)
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + max(_PAUSE_US, _SHARE * took_us))
        finally:
            self._store.bells.discard(self._news)

    async def _round(self) -> int | None:
        """Look at all that are followed or due; when to do it again by itself."""
        try:
            followed, wanted = await self._store.read(self._wanted)
            if followed:
                self._store.bells.add(self._news)
            else:
                self._store.bells.discard(self._news)
            for ring_id in wanted:
                await self.look(ring_id)
            next_us = await self._store.read(rings.next_due_us)
        except Unavailable as error:
            log.error("the store refused", extra={"action": "rings_refused", "code": error.code})
            return self._clock.now_us() + _LOOK_US
        if self._store.engine.shared:
            look_us = self._clock.now_us() + _LOOK_US
            return look_us if next_us is None else min(next_us, look_us)
        return next_us

    def _wanted(self, connection: Connection) -> tuple[bool, list[str]]:
        """Whether any ring is followed, and those that are to be looked at now."""
        followed = rings.followed(connection)
        due = rings.due(connection, self._clock.now_us(), 100)
        self._claims = {each: until_us for each, until_us in self._claims.items() if each in followed}
        if not followed:
            self._seen = None
            return False, due
        if self._seen is None:
            changed, newest = set(followed), rings.newest_event(connection)
        else:
            last = self._seen - _MARGIN if self._store.engine.shared else self._seen
            changed, newest = rings.touched(connection, last)
        self._seen = newest
        return True, list(dict.fromkeys([*due, *(each for each in followed if each in changed)]))

    async def look(self, ring_id: str) -> None:
        """Look at one ring and do what is to be done, if it is this host's."""
        if not await self._claimed(ring_id):
            return
        try:
            await self._look_after(ring_id)
        except RingOver:
            await self._store.write(lambda connection: self._end(connection, ring_id))
        except Unavailable:
            raise
        except Exception:
            log.exception("a ring failed", extra={"action": "ring_failed", "ring": ring_id})

    async def _claimed(self, ring_id: str) -> bool:
        if not self._store.engine.shared:
            return True
        now_us = self._clock.now_us()
        if self._claims.get(ring_id, 0) - now_us >= _RENEW_US:
            return True
        until_us = now_us + CLAIM_US
        if not await self._store.write(lambda c: rings.claim(c, ring_id, self._node, now_us, until_us)):
            return False
        self._claims[ring_id] = until_us
        return True

    async def _look_after(self, ring_id: str) -> None:
        row = await self._store.read(lambda connection: rings.get(connection, ring_id))
        if row is None or row.status not in {RingStatus.FILLING, RingStatus.RINGING}:
            return
        if row.status == RingStatus.FILLING:
            await self._drop_abandoned(row)
            return
        if await self._store.read(lambda connection: ring_members.waiting(connection, ring_id, 1)):
            await self._ringer.ring(row, await self._ringer.holder(row))
        for _ in range(_MOST_AT_ONCE):
            look, plan = await self._store.read(lambda connection: self._planned(connection, ring_id))
            if not (plan.again or plan.rung or plan.needless):
                await self._tell(look, plan)
                return
            await self._do(look, plan)

    def _planned(self, connection: Connection, ring_id: str) -> tuple[Look, Plan]:
        row = rings.get(connection, ring_id)
        if row is None or row.status != RingStatus.RINGING:
            raise RingOver
        now_us = self._clock.now_us()
        look = look_at(connection, row, self._waits, now_us)
        return look, plan_of(look.asked, look.people, look.steps, now_us, row.created_us)

    async def _do(self, look: Look, plan: Plan) -> None:
        """Ring again, and escalate."""
        row, now_us = look.row, self._clock.now_us()
        holder = await self._ringer.holder(row)
        for step in plan.needless:
            await self._settle(row.id, step, now_us, None, NEEDLESS)
        for step in plan.rung:
            wanted = look.steps[step - 1]
            if wanted.outcome != FILLING:
                await self._settle(row.id, step, None, None, FILLING)
            await self._ringer.add(row, wanted.wanted.to, step, _silent_before(look, wanted.due_us))
            await self._settle(row.id, step, now_us, FILLING, RUNG)
        if plan.again:
            counts = {person.id: person.rung for person in plan.again}
            await self._store.write(lambda connection: ring_members.want_again(connection, row.id, counts, counts))
        await self._ringer.ring(row, holder)

    async def _settle(self, ring_id: str, step: int, now_us: int | None, before: str | None, after: str) -> None:
        await self._store.write(
            lambda connection: rings.settle_step(connection, ring_id, step, now_us, before=before, after=after)
        )

    async def _tell(self, look: Look, plan: Plan) -> None:
        """Write down what has changed since it was last told, and how the ring stands."""
        row, now_us = look.row, self._clock.now_us()
        status = RingStatus.FINISHED if plan.is_over else RingStatus.RINGING
        words = progress_of(row.id, status, look.tally, simulated=bool(row.test))
        changed = json.dumps(words) != row.told
        # One that is followed always has an instant: it is how it is found.
        kept_us = row.next_us if row.next_us is not None and row.next_us > now_us else now_us + CLAIM_US
        next_us = plan.next_us or kept_us

        def work(connection: Connection) -> None:
            if changed and rings.tell(connection, row.id, json.dumps(words), now_us, before_us=row.told_us):
                events.record(connection, now_us, PROGRESS, facts=words)
            if plan.is_over:
                rings.change_status(connection, row.id, RingStatus.RINGING, status, ended_us=now_us)
            elif rings.lock(connection, row.id) is RingStatus.RINGING:
                rings.look_at(connection, row.id, next_us)

        if changed or plan.is_over or next_us != row.next_us:
            await self._store.write(work)

    async def _drop_abandoned(self, row: AnyRow) -> None:
        """Whoever began it broke off before anybody was promised anything, unless that is at this moment."""
        if row.created_us > self._clock.now_us() - ABANDONED_US:
            return

        def work(connection: Connection) -> None:
            if rings.lock(connection, row.id) is RingStatus.FILLING:
                rings.drop(connection, row.id)

        await self._store.write(work)

    def _end(self, connection: Connection, ring_id: str) -> None:
        """Nobody rings for it any more: its token is gone, or it was stopped."""
        now_us = self._clock.now_us()
        if rings.change_status(connection, ring_id, RingStatus.RINGING, RingStatus.STOPPED, ended_us=now_us):
            rings.stop_steps(connection, ring_id, now_us, STOPPED)
            ring_members.give_up(connection, ring_id)


def _silent_before(look: Look, instant_us: int) -> dict[int, int]:
    """How often the silent were rung, without those who were since an instant: a step that was broken off in the middle
    rings nobody twice."""
    return {
        person.id: person.rung
        for person in look.people
        if person.may_be_rung and (person.rung_us is None or person.rung_us < instant_us)
    }


def progress_of(ring_id: str, status: RingStatus, tally: Tally, *, simulated: bool) -> Mapping[str, object]:
    """What is told of a ring while it goes on: counts, and nobody's number or words."""
    return {
        "id": ring_id,
        "status": status.value,
        "simulated": simulated,
        "recipients": tally.recipients,
        "counts": {word.value: count for word, count in tally.counts.items()},
        "reached": tally.reached,
        "answered": {word: len(found) for word, found in tally.answered.items()},
        "other": len(tally.other),
        "silent": tally.silent_count,
    }
