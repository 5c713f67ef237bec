"""Tells what is due, and writes down what came of it.

Each target has a lane: a few deliveries at once, one while it fails, none while its circuit is open. What one lane does
costs the others nothing: each is asked for its own share of what is due, and endpoints, callbacks and each token's
callbacks have bounds of their own (`shares`). What was told
is written down in groups that share a commit; should the process die before, it is told once more with the same name.
Ending does not wait for a receiver: what is under way is broken off, and stays due.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy import Connection

from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.notify import happenings, schedule
from gateway.notify.callbacks import Request
from gateway.notify.courier import ANSWER_S, CONNECT_S, Answer, Courier
from gateway.notify.happenings import Happening
from gateway.notify.lookout import Lookout
from gateway.notify.requesting import callback_request, endpoint_news
from gateway.notify.schedule import Circuit
from gateway.notify.shares import OF_TOKEN, Shares, holder, is_callback, token_of
from gateway.requests import WebhookView
from gateway.store import deliveries, webhooks
from gateway.store.database import Store
from gateway.store.deliveries import Due, Settled

log = logging.getLogger(__name__)

#: Deliveries to one target at once; and how many are read for it in advance.
PER_TARGET: Final = 4
_READ: Final = 64
# Other hosts do not find what we have read for so long; and a try is not begun that could take longer than that.
_LEASE_US: Final = 120 * SECOND_US
_TRY_US: Final = int((CONNECT_S + ANSWER_S + 5) * SECOND_US)
# What one lane can try within that, however slow the receiver is.
_CLAIM: Final = PER_TARGET * _LEASE_US // _TRY_US
_LOOK_US: Final = 5 * SECOND_US
# Where a look did not find everybody.
_NEXT_US: Final = SECOND_US // 20
# Beyond so many nobody remembers how each server answered last.
_MOST_LANES: Final = 2000
_TIDY_US: Final = 3600 * SECOND_US
_REFUSED_US: Final = SECOND_US


@dataclass(frozen=True, slots=True)
class _Load:
    """A delivery that was read, and the event that it tells of; None once that is forgotten."""

    due: Due
    happening: Happening | None
    #: Until when it may be begun, by the clock that nobody sets; later another host may tell it too. None: always.
    begin_us: int | None = None


@dataclass(slots=True)
class _Lane:
    """What is under way to one target. `busy` is what was read and not written down yet, by id, `told` those that
    were written down since the last reading began."""

    circuit: Circuit = field(default_factory=Circuit)
    loads: deque[_Load] = field(default_factory=deque[_Load])
    busy: dict[int, Due] = field(default_factory=dict[int, Due])
    told: set[int] = field(default_factory=set[int])
    sending: int = 0


class Deliverer:
    """Tells endpoints and callbacks. `render` makes the body of a happening."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        render: Callable[[Happening], bytes],
        *,
        to_endpoints: Courier,
        to_callbacks: Courier,
    ) -> None:
        self._store = store
        self._clock = clock
        self._render = render
        self._to_endpoints = to_endpoints
        self._to_callbacks = to_callbacks
        self._lanes: dict[str, _Lane] = {}
        self._endpoints: Mapping[str, WebhookView] = {}
        self._sending: set[asyncio.Task[None]] = set()
        self._shares = Shares()
        self._lookout = Lookout()
        self._settled: list[Settled] = []
        # Claimed and not tried, where several hosts look.
        self._untried: list[Due] = []
        self._noted: dict[str, str | None] = {}
        self._wake = asyncio.Event()
        self._come = asyncio.Event()
        self._tidy_us = 0

    def nudge(self) -> None:
        """There may be something to tell, or somebody to tell it to."""
        self._wake.set()

    async def run(self) -> None:
        """Tell what is due until cancelled."""
        settling = asyncio.create_task(self._settle())
        try:
            while True:
                until_us = await self._tried()
                await self._clock.wait(self._wake, until_us)
                self._wake.clear()
        finally:
            tasks = [settling, *self._sending]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._untried += [each for lane in self._lanes.values() for each in lane.busy.values()]
            with contextlib.suppress(Unavailable):
                await self._store.write(self._writing(self._settled, self._noted, self._clock.now_us()))
                await self._give_back()
            await self._to_endpoints.close()
            await self._to_callbacks.close()

    async def _tried(self) -> int | None:
        """A round; when the next is due, the store's refusals included."""
        try:
            return await self._round()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "deliverer_refused", "code": error.code})
            return self._clock.now_us() + _REFUSED_US

    async def _round(self) -> int | None:
        """Read what is due for lanes that have room, and begin to send; when to look again."""
        await self._tidy()
        found = await self._store.read(self._lookout.look)
        self._endpoints, now_us = found.endpoints, self._clock.now_us()
        instants = [now_us + _LOOK_US] if self._store.engine.shared else [self._tidy_us]
        loaded = Counter(holder(target) for target, lane in self._lanes.items() if lane.loads)
        # Endpoints first, and none waits until all the callbacks' servers were looked after; then the oldest.
        for target, due_us in sorted(found.due_us.items(), key=lambda each: (is_callback(each[0]), each[1])):
            if target not in self._endpoints and not is_callback(target):
                await self._drop(target)
                continue
            if (endpoint := self._endpoints.get(target)) is not None and endpoint.disabled_us is not None:
                continue
            lane = self._lanes.setdefault(target, _Lane())
            opens_us = lane.circuit.opens_us(now_us)
            if opens_us is not None or due_us > now_us:
                instants.append(max(opens_us or 0, due_us))
            elif len(lane.loads) < PER_TARGET and self._may_be_read(target, lane, loaded, now_us):
                await self._fill(target, lane, now_us)
                loaded[holder(target)] += bool(lane.loads)
                self._pump()
        if found.more:
            instants.append(now_us + _NEXT_US)
        if not found.more or len(self._lanes) > _MOST_LANES:
            kept = found.due_us.keys() | found.endpoints.keys()
            self._lanes = {name: lane for name, lane in self._lanes.items() if lane.busy or name in kept}
        self._pump()
        return min(instants)

    def _may_be_read(self, target: str, lane: _Lane, loaded: Mapping[str, int], now_us: int) -> bool:
        """Of callbacks few servers of a token are read in advance, and none that fails: it would keep others out."""
        if not is_callback(target):
            return True
        return self._has_room(target, lane, now_us) if lane.circuit.fails else loaded[holder(target)] < OF_TOKEN

    async def _fill(self, target: str, lane: _Lane, now_us: int) -> None:
        """Read what is due of a lane. One that fails gets one delivery, so that others of it stay untried."""
        most = (
            (_CLAIM if self._store.engine.shared else _READ)
            if lane.circuit.room(now_us, PER_TARGET) > 1
            else 1 - len(lane.loads) - lane.sending
        )
        if most <= 0:
            return
        busy = frozenset(lane.busy)
        lane.told.clear()

        def work(connection: Connection) -> list[_Load]:
            if self._store.engine.shared:
                found = deliveries.claim(connection, target, now_us, most, now_us + _LEASE_US)
            else:
                found = deliveries.due(connection, target, now_us, most + len(busy))
            return _loaded(connection, [each for each in found if each.id not in busy][:most])

        loads = await (self._store.write(work) if self._store.engine.shared else self._store.read(work))
        begin_us = self._clock.monotonic_us() + _LEASE_US - _TRY_US if self._store.engine.shared else None
        for load in loads:
            if load.due.id not in lane.told:
                lane.busy[load.due.id] = load.due
                lane.loads.append(replace(load, begin_us=begin_us))

    def _pump(self) -> None:
        """Begin as much as there is room for, one of each lane in turn."""
        now_us, going = self._clock.now_us(), True
        while going:
            going = False
            for target, lane in self._lanes.items():
                if lane.loads and self._has_room(target, lane, now_us):
                    load, going = lane.loads.popleft(), True
                    if load.begin_us is not None and load.begin_us < self._clock.monotonic_us():
                        lane.busy.pop(load.due.id, None)
                        self._untried.append(load.due)
                        self._come.set()
                    else:
                        self._begin(target, lane, load)

    def _has_room(self, target: str, lane: _Lane, now_us: int) -> bool:
        has_room = self._shares.has_room(target, fails=lane.circuit.fails)
        return has_room and lane.sending < lane.circuit.room(now_us, PER_TARGET)

    def _begin(self, target: str, lane: _Lane, load: _Load) -> None:
        lane.sending += 1
        fails = lane.circuit.fails
        self._shares.begun(target, fails=fails)
        task = asyncio.create_task(self._deliver(target, lane, load))
        self._sending.add(task)
        task.add_done_callback(lambda done: self._ended(done, target, lane, fails=fails))

    def _ended(self, task: asyncio.Task[None], target: str, lane: _Lane, *, fails: bool) -> None:
        self._sending.discard(task)
        self._shares.ended(target, fails=fails)
        lane.sending -= 1
        if not task.cancelled():
            self._pump()
            if len(lane.loads) < PER_TARGET:
                self._wake.set()

    async def _deliver(self, target: str, lane: _Lane, load: _Load) -> None:
        now_us = self._clock.now_us()
        try:
            request = self._written(target, load.happening, now_us)
        except Exception as error:  # noqa: BLE001 - a defect in one form must not stop the others
            log.error(
                "a delivery cannot be written", extra={"action": "delivery_defect", "cause": type(error).__name__}
            )
            self._note(Settled(load.due.id, target, load.due.subject, dead=True, outcome="defect"))
            return
        if request is None:
            self._note(Settled(load.due.id, target, load.due.subject))
            return
        courier = self._to_callbacks if is_callback(target) else self._to_endpoints
        answer = await courier.send(request, token_of(target))
        if answer.good:
            self._succeeded(target, lane)
        elif not (answer.gone and is_callback(target)):
            # That one callback is gone says nothing about the others of its server.
            self._failed(lane, answer)
        self._noted[target] = None if answer.good else answer.word
        self._note(self._outcome(target, load.due, answer))

    def _succeeded(self, target: str, lane: _Lane) -> None:
        if lane.circuit.succeeded():
            log.info("a receiver answers again", extra={"action": "webhook_recovered"})
            task = asyncio.create_task(self._hasten(target))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    def _failed(self, lane: _Lane, answer: Answer) -> None:
        now_us = self._clock.now_us()
        lane.circuit.failed(now_us, answer.retry_after_s)
        # What was read in advance is given back, so that it is read in its order later.
        self._untried += [load.due for load in lane.loads]
        for load in lane.loads:
            lane.busy.pop(load.due.id, None)
        lane.loads.clear()
        self._come.set()

    async def _give_back(self) -> None:
        untried, self._untried = [each for each in self._untried if each.until_us is not None], []
        if untried:
            await self._store.write(lambda c: deliveries.give_back(c, untried, self._clock.now_us()))
            self._wake.set()

    def _outcome(self, target: str, due: Due, answer: Answer) -> Settled:
        if answer.good:
            return Settled(due.id, target, due.subject)
        now_us, tries = self._clock.now_us(), due.tries + 1
        if answer.gone and not is_callback(target):
            # Not its fault: it is told when the endpoint is enabled again.
            return Settled(due.id, target, due.subject, due_us=now_us, tries=due.tries, outcome=answer.word)
        next_us = None if answer.gone else schedule.next_us(tries, now_us, answer.retry_after_s)
        if now_us - due.made_us > schedule.OLDEST_US:
            next_us = None
        dead = next_us is None
        return Settled(due.id, target, due.subject, due_us=next_us, dead=dead, tries=tries, outcome=answer.word)

    def _written(self, target: str, happening: Happening | None, now_us: int) -> Request | None:
        """What tells of it; None where there is nothing (any more) to be told."""
        if happening is None:
            return None
        if is_callback(target):
            return callback_request(self._store, happening, now_us, self._render)
        endpoint = self._endpoints.get(target)
        return endpoint and endpoint_news(self._store, endpoint, happening, now_us, self._render)

    # --- writing down

    def _note(self, settled: Settled) -> None:
        self._settled.append(settled)
        self._come.set()

    async def _settle(self) -> None:
        """Write down what came, as much of it as there is at a time."""
        while True:
            await self._come.wait()
            self._come.clear()
            settled, noted = self._settled[: deliveries.GROUP], self._noted
            if not settled and not self._untried:
                continue
            self._noted = {}
            try:
                gone = await self._store.write(self._writing(settled, noted, self._clock.now_us()))
            except Unavailable as error:
                log.error("the store refused", extra={"action": "deliverer_refused", "code": error.code})
                self._noted = noted | self._noted
                await self._clock.wait(asyncio.Event(), self._clock.now_us() + _REFUSED_US)
                self._come.set()
                continue
            for each in gone:
                log.warning("a receiver wants nothing more", extra={"action": "webhook_disabled", "webhook": each})
            self._forget(settled)
            with contextlib.suppress(Unavailable):
                # Whoever looks when the time of the claim is over finds it too.
                await self._give_back()

    def _writing(
        self, settled: Sequence[Settled], noted: Mapping[str, str | None], now_us: int
    ) -> Callable[[Connection], Collection[str]]:
        gone = {each.target for each in settled if each.outcome == "410" and not is_callback(each.target)}

        def work(connection: Connection) -> Collection[str]:
            deliveries.settle(connection, settled, now_us)
            for target, failure in noted.items():
                if not is_callback(target):
                    webhooks.note(connection, target, at_us=now_us, failure=failure)
            return [each for each in gone if webhooks.disable(connection, each, now_us, "it answered 410 Gone")]

        return work

    def _forget(self, settled: Sequence[Settled]) -> None:
        """They are written down: whoever is behind them may be read."""
        del self._settled[: len(settled)]
        if self._settled:
            self._come.set()
        for each in settled:
            if (lane := self._lanes.get(each.target)) is not None:
                lane.busy.pop(each.id, None)
                lane.told.add(each.id)
        self._wake.set()

    async def _hasten(self, target: str) -> None:
        try:
            while await self._store.write(
                lambda connection: deliveries.hasten(connection, target, self._clock.now_us() + _LEASE_US)
            ):
                self._wake.set()
        except Unavailable as error:
            log.error("the store refused", extra={"action": "deliverer_refused", "code": error.code})

    # --- tidying

    async def _tidy(self) -> None:
        """Once an hour: give up what is too old, forget what was given up long ago."""
        now_us = self._clock.now_us()
        if now_us < self._tidy_us:
            return
        self._tidy_us = now_us + _TIDY_US
        while await self._store.write(
            lambda connection: deliveries.give_up_old(connection, now_us - schedule.OLDEST_US, now_us)
        ):
            pass
        while await self._store.write(lambda connection: deliveries.forget_dead(connection, now_us - schedule.KEPT_US)):
            pass

    async def _drop(self, target: str) -> None:
        """What is left of an endpoint that is no more."""
        while await self._store.write(lambda connection: deliveries.drop(connection, target)):
            pass


def _loaded(connection: Connection, found: Sequence[Due]) -> list[_Load]:
    known = {each.id: each for each in happenings.these(connection, [due.event_id for due in found])}
    return [_Load(due, known.get(due.event_id)) for due in found]
