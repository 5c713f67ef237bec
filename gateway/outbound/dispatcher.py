"""What becomes due by itself: releases held messages, expires late ones, and wakes the senders.

One task. It sleeps until the next instant the store knows of, or until it is told that something changed, and that
instant may be earlier now; it looks at most so often, whatever comes in. Of several hosts any may do what is due, and
one at a time does: a lock that lives for one transaction needs no leader, and so no takeover. And since a signal of
another host may be lost, it looks by itself every few seconds.

Who has work is woken, and not everybody: one idle sender for what was accepted, and those find out by themselves
whether there is more (`gateway.crew`). What suits another modem than the one that was woken is found by the look here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.outbound import early
from gateway.store import idempotency, lanes, locks, optouts, outcomes, queue, recipients, signals, upkeep
from gateway.store.database import Store
from gateway.store.locks import Lock
from gateway.store.signals import Topic

log = logging.getLogger(__name__)

# What is due and could not be finished (a part in flight, a full disk) is looked at again after this.
_PAUSE_US = SECOND_US
# Between two looks at what is due, so that a thousand reports a second are not a thousand looks.
_BETWEEN_US = SECOND_US // 20
_NEVER_US = 1 << 63
#: How long a signal of another host can be missed for.
LOOK_US = 5 * SECOND_US


class Dispatcher:
    """Runs until it is cancelled."""

    def __init__(
        self, store: Store, clock: Clock, wake_all: Callable[[], None], wake_one: Callable[[], bool] | None = None
    ) -> None:
        self._store = store
        self._clock = clock
        self._wake_all = wake_all
        #: True when there are others who could be woken.
        self._wake_one = wake_one or wake_all
        #: How many modems of this host can send now.
        self.usable: Callable[[], int] = lambda: 1
        self._changed = asyncio.Event()
        #: Until when it sleeps; 0 while it does not, or is looking.
        self._asleep_until_us = 0

    def nudge(self, earliest_us: int | None = None) -> None:
        """Something was accepted, or is to be tried again: there is work, and the next instant may be earlier.

        With `earliest_us`, the first instant that came with it, the store is not asked when that changes nothing, and
        nobody is left who would have to be woken if the sender that was woken cannot take it.
        """
        others = self._wake_one()
        if others or earliest_us is None or earliest_us < self._asleep_until_us or not self._asleep_until_us:
            self._changed.set()

    def hint(self) -> None:
        """Something moved; whether there is work by it is found out."""
        self._changed.set()

    async def run(self) -> None:
        """Do what is due, then sleep until the next instant."""
        while True:
            self._changed.clear()
            looked_us = self._clock.monotonic_us()
            try:
                until_us = await self._step()
            except Unavailable as error:
                log.error("the store refused", extra={"action": "upkeep_refused", "code": error.code})
                until_us = self._clock.now_us() + _PAUSE_US
            except Exception:
                log.exception("upkeep failed", extra={"action": "upkeep_failed"})
                until_us = self._clock.now_us() + _PAUSE_US
            until_us = self._not_too_late(until_us)
            self._asleep_until_us = _NEVER_US if until_us is None else until_us
            changed = await self._clock.wait(self._changed, until_us)
            self._asleep_until_us = 0
            early_us = looked_us + _BETWEEN_US - self._clock.monotonic_us()
            if changed and early_us > 0:
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + early_us)

    def _not_too_late(self, until_us: int | None) -> int | None:
        if not self._store.engine.shared:
            return until_us
        look_us = self._clock.now_us() + LOOK_US
        return look_us if until_us is None else min(until_us, look_us)

    async def _step(self) -> int | None:
        now_us, ends, modems = self._clock.now_us(), self._clock.doubt() is None, self.usable()
        next_us, waits = await self._store.read(lambda connection: _look(connection, now_us, ends=ends, modems=modems))
        if waits:
            self._wake_all()
        if next_us is None or next_us > now_us:
            return next_us
        moved = await self._store.write(lambda connection: upkeep_at(connection, now_us, ends=ends, modems=modems))
        self._wake_all()
        later_us = await self._store.read(lambda connection: next_us_of(connection, ends=ends, modems=modems))
        # A night's messages are let go in many transactions; an alarm that is due stands behind the last of them.
        pause_us = _BETWEEN_US if moved >= upkeep.BATCH else _PAUSE_US
        return None if later_us is None else max(later_us, self._clock.now_us() + pause_us)


def next_us_of(connection: Connection, *, ends: bool = True, modems: int = 1) -> int | None:
    """The next instant at which something is due by itself, or has to begin for many to leave in time."""
    instants = upkeep.next_due_us(connection, ends=ends), early.next_begin_us(connection, modems)
    return min((instant for instant in instants if instant is not None), default=None)


def _look(connection: Connection, now_us: int, *, ends: bool, modems: int) -> tuple[int | None, bool]:
    """The next instant, and whether something waits that a modem might take now."""
    waits = any(row.due_us <= now_us for row in lanes.waiting(connection)) or queue.copy_waits(connection, now_us)
    return next_us_of(connection, ends=ends, modems=modems), waits


def upkeep_at(connection: Connection, now_us: int, *, ends: bool = True, modems: int = 1) -> int:
    """Everything that is due at this instant, in one transaction; nothing while another host is at it. Returns how many
    messages it moved: if `upkeep.BATCH` or more, others may be due still.

    Without `ends` nothing expires and nothing is forgotten: nobody knows how late it is. `modems` can send here.
    """
    if not locks.try_alone(connection, Lock.UPKEEP):
        return 0
    moved = 0
    if ends:
        moved += upkeep.expire(connection, now_us) + upkeep.fail_torsos(connection, now_us)
        idempotency.forget(connection, now_us)
    moved += upkeep.release_held(connection, now_us)
    moved += early.release_begun(connection, now_us, modems)
    moved += upkeep.release_retries(connection, now_us)
    for row in upkeep.due_resends(connection, now_us):
        if row.stoppable and not recipients.try_lock(connection, row.recipient_id):
            # Another host may hear a STOP at this moment: looked at again when it has.
            continue
        moved += 1
        # A STOP that came meanwhile, or the end of its time, takes the further copy away; what may have left stays so.
        stopped = row.stoppable and optouts.is_opted_out(connection, row.recipient_id, row.category)
        if stopped or row.expires_us <= now_us:
            upkeep.drop_resend(connection, row.id)
        else:
            outcomes.resend(connection, row.id, now_us)
    if moved:
        # Only then: two hosts that wake each other over what neither can finish would never rest.
        signals.send(connection, Topic.WORK)
    return moved
