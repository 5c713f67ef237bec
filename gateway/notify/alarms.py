"""Who runs the gateway is told of what needs a hand: what stands is looked for each minute, what happened once comes
with its event.

A trouble is told when it begins, again after four hours while it stands, and once when it is over. What is told lies in
the store until it was carried, beside the trouble itself; of several hosts one tells. Nothing here hears of what
becomes of an alarm, so none can bring forth another.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection

from drivers.events import ModemState, ModemStatus
from gateway.clock import SECOND_US, Clock
from gateway.config.settings import Settings
from gateway.errors import Unavailable
from gateway.notify.channel_words import ChannelWords
from gateway.outbound.waits import Waits
from gateway.rules.routing import lane_of
from gateway.store import lanes, notices, troubles
from gateway.store.database import Store
from gateway.store.notices import ALARM, NewNotice

log = logging.getLogger(__name__)

LOOK_US: Final = 60 * SECOND_US
AGAIN_US: Final = 4 * 3600 * SECOND_US
#: A modem may be away, and a message may wait for its turn, for so long.
PATIENCE_US: Final = 600 * SECOND_US
#: From this priority on a message must not wait, whatever else leaves.
_URGENT: Final = 8
_LEAST_FREE, _LEAST_SHARE = 200 * 1000 * 1000, 0.05
_WELL: Final = frozenset({ModemState.READY, ModemState.BUSY, ModemState.PAUSED})

#: Events that are told once, with the fact that names what they are about; the rest is looked for.
ONCE: Final[Mapping[str, str | None]] = {
    "sim.limit_near": "modem",
    "sim.limit": "modem",
    "balance.low": "modem",
    "modem.selftest_failed": "name",
    "webhook.disabled": None,
    "traffic.limit": "key",
}
#: Events after which it is looked at once.
LOOKED_AT: Final = ("modem.parked", "modem.up", "clock.doubtful", "clock.trusted")


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs a hand. `node` is the host that sees it, empty for what all see alike."""

    kind: str
    about: str = ""
    node: str = ""

    @property
    def name(self) -> str:
        """As it is kept."""
        return json.dumps([self.kind, self.node, self.about])


def _trouble_of(name: str) -> Trouble:
    kind, node, about = json.loads(name)
    return Trouble(kind, about, node)


class Alarms:
    """Looks, and leaves what has to be told. `statuses` are the modems of this host."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        clock: Clock,
        words: ChannelWords,
        statuses: Callable[[], Iterable[ModemStatus]],
    ) -> None:
        self._goals = settings.alarms
        self._node = settings.gateway.node
        self._folder = settings.gateway.state_dir
        self._store = store
        self._clock = clock
        self._words = words
        self._statuses = statuses
        self._waits = Waits(settings, clock.doubt)
        self._down_since: dict[str, int] = {}
        self._wake = asyncio.Event()
        #: Called when something was left to be told.
        self.on_left: Callable[[], None] = lambda: None
        #: Octets that are free where the state is, and the share of all.
        self.free: Callable[[Path], tuple[int, float]] = _free

    @property
    def kinds(self) -> Sequence[str]:
        """The events that it has to hear of."""
        return (*ONCE, *LOOKED_AT) if self._goals else ()

    def nudge(self) -> None:
        """Something may be better or worse."""
        self._wake.set()

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                log.error("the store refused", extra={"action": "alarms_refused", "code": error.code})
            await self._clock.wait(self._wake, self._clock.now_us() + LOOK_US)
            self._wake.clear()

    async def look(self) -> None:
        """Compare what stands with what was told."""
        here = [*self._modems(), *await self._machine()]
        now_us = self._clock.now_us()
        standing, known = await self._store.read(lambda connection: self._seen(connection, here, now_us))
        plan = self._plan({each.name: each for each in standing}, known, now_us)
        if plan is None:
            return
        if await self._store.write(lambda connection: self._tell(connection, plan, known, now_us)):
            self.on_left()

    def happened(self, connection: Connection, rows: Sequence[Any], now_us: int) -> None:
        """Leave what has to be told of these events, unless it was told within the last hours."""
        told = troubles.told(connection) if rows else {}
        said: list[str] = []
        for row in rows:
            fact = ONCE[row.type]
            facts: Mapping[str, object] = json.loads(row.facts) if row.facts is not None else {}
            trouble = Trouble(row.type, str(facts.get(fact, "") if fact else ""), str(facts.get("node", "")))
            before = told.get(trouble.name)
            if before is None:
                is_new = troubles.begin(connection, trouble.name, now_us)
            else:
                is_new = now_us - before >= AGAIN_US and troubles.tell_again(connection, trouble.name, before, now_us)
            told[trouble.name] = now_us
            if is_new:
                said.append(self._words.trouble(trouble.kind, trouble.about))
        self._leave(connection, said, now_us)

    # --- looking

    def _modems(self) -> list[Trouble]:
        found: list[Trouble] = []
        now_us, down = self._clock.monotonic_us(), set[str]()
        for each in self._statuses():
            if each.state is ModemState.PARKED:
                found.append(Trouble("modem.parked", each.name, self._node))
            elif each.state not in _WELL:
                down.add(each.name)
        self._down_since = {name: self._down_since.get(name, now_us) for name in down}
        gone = [name for name, since_us in self._down_since.items() if now_us - since_us >= PATIENCE_US]
        return found + [Trouble("modem.down", name, self._node) for name in sorted(gone)]

    async def _machine(self) -> list[Trouble]:
        found = [] if self._clock.doubt() is None else [Trouble("clock.doubtful", node=self._node)]
        try:
            octets, share = await asyncio.to_thread(self.free, self._folder)
        except OSError:
            return found
        low = octets < _LEAST_FREE or share < _LEAST_SHARE
        return [*found, Trouble("disk", node=self._node)] if low else found

    def _seen(
        self, connection: Connection, here: Collection[Trouble], now_us: int
    ) -> tuple[list[Trouble], dict[str, int]]:
        found = list(here)
        if self._is_stuck(connection, now_us):
            found.append(Trouble("stuck"))
        if troubles.uncertain_wait(connection):
            found.append(Trouble("message.uncertain"))
        return found, troubles.told(connection)

    def _is_stuck(self, connection: Connection, now_us: int) -> bool:
        """Whether something should have left long ago that nothing holds: while nothing leaves, or something urgent."""
        late = [row.lane for row in lanes.waiting(connection) if row.due_us <= now_us - PATIENCE_US]
        if not late:
            return False
        pause, waiting = self._waits.with_kill_switch(connection, now_us)
        free = [
            lane
            for lane in (lane_of(text) for text in late if waiting(text) is None)
            # What the gateway sends by itself, alarms above all, is no reason for another.
            if lane.token_id is not None and not lane.test and not pause.holds(lane.category)
        ]
        if any(lane.priority >= _URGENT for lane in free):
            return True
        return bool(free) and not troubles.tried_since(connection, now_us - PATIENCE_US)

    # --- telling

    def _plan(self, standing: Mapping[str, Trouble], known: Mapping[str, int], now_us: int) -> _Plan | None:
        old = {name: _trouble_of(name) for name in known}
        plan = _Plan(
            begun=[each for name, each in standing.items() if name not in known],
            again=[each for name, each in standing.items() if now_us - known.get(name, now_us) >= AGAIN_US],
            over=[
                each
                for name, each in old.items()
                if name not in standing and each.kind not in ONCE and self._sees(each)
            ],
            stale=[each for name, each in old.items() if each.kind in ONCE and now_us - known[name] >= AGAIN_US],
        )
        return plan if plan.begun or plan.again or plan.over or plan.stale else None

    def _sees(self, trouble: Trouble) -> bool:
        return trouble.node in {"", self._node}

    def _tell(self, connection: Connection, plan: _Plan, known: Mapping[str, int], now_us: int) -> bool:
        """Write the changes down; whether something is told of them."""
        said = [
            self._words.trouble(each.kind, each.about)
            for each in plan.begun
            if troubles.begin(connection, each.name, now_us)
        ]
        said += [
            self._words.trouble(each.kind, each.about, still=True)
            for each in plan.again
            if troubles.tell_again(connection, each.name, known[each.name], now_us)
        ]
        for each in plan.over:
            clear = self._words.all_clear(each.kind, each.about)
            if troubles.end(connection, each.name) and clear is not None:
                said.append(clear)
        for each in plan.stale:
            troubles.end(connection, each.name)
        self._leave(connection, said, now_us)
        return bool(said)

    def _leave(self, connection: Connection, said: Sequence[str], now_us: int) -> None:
        notices.add(connection, [NewNotice(ALARM, goal, words=each) for each in said for goal in self._goals], now_us)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What has changed: what has begun, is told again, is over, and what happened once and is forgotten."""

    begun: Sequence[Trouble]
    again: Sequence[Trouble]
    over: Sequence[Trouble]
    stale: Sequence[Trouble]


def _free(folder: Path) -> tuple[int, float]:
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_bavail / max(found.f_blocks, 1)
