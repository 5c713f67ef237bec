"""Figures for monitoring. Asked of the store at most every few seconds, however often and by however many it is asked.

Labels are status words, rules, and names of categories and modems: those of the configuration, and so few.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from drivers.events import ModemState
from gateway.clock import SECOND_US, Clock
from gateway.errors import Unavailable
from gateway.measures import Measures
from gateway.message import Status
from gateway.rules.routing import lane_of
from gateway.services.modems import Fleet
from gateway.store import events, figures, pauses
from gateway.store.database import Store
from gateway.store.events import Cursor

#: How long an answer is given again. Where much waits counting it takes long, and is done the more seldom.
KEPT_US: Final = 5 * SECOND_US
_SHARE: Final = 30
#: Beyond this nobody has looked for a long time, and counting begins anew, as after a start.
_MOST_EVENTS: Final = 200_000
_USABLE: Final = frozenset({ModemState.READY, ModemState.BUSY})


def _no_buckets() -> list[int]:
    return [0] * (len(figures.REPORT_BOUNDS) + 1)


@dataclass(slots=True)
class Figures:
    """What is told. Keys are status and category, rule and category; `reports` are counts by bound."""

    measures: Measures
    modems: Mapping[str, bool] = field(default_factory=dict[str, bool])
    queue: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    held: Mapping[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    oldest_due_s: float = 0.0
    uncertain: int = 0
    paused: bool = False
    store_answers: bool = False
    messages: Counter[tuple[str, str]] = field(default_factory=Counter[tuple[str, str]])
    reports: list[int] = field(default_factory=_no_buckets)
    reports_sum_s: float = 0.0


def _is_live(lane: str) -> bool:
    """A rehearsal that waits is nobody's trouble: one of them does so for a day."""
    return not lane_of(lane).test


class Metrics:
    """Counts for monitors; made once, and begun where the store stands when it is first asked."""

    def __init__(self, store: Store, clock: Clock, fleet: Fleet) -> None:
        self._store = store
        self._clock = clock
        self._fleet = fleet
        self._figures = Figures(store.measures)
        self._cursor: Cursor | None = None
        self._until_us = 0
        self._asking = asyncio.Lock()

    async def begin(self) -> None:
        """What happens from here on is counted."""
        self._cursor = await self._store.read(events.newest)

    async def figures(self) -> Figures:
        """The figures of this moment, or of some seconds ago; without what the store knows while it does not answer."""
        async with self._asking:
            now_us = self._clock.monotonic_us()
            if now_us >= self._until_us:
                await self._look()
                took_us = self._clock.monotonic_us() - now_us
                self._until_us = now_us + max(KEPT_US, _SHARE * took_us)
        usable = {name: modem.status().state in _USABLE for name, modem in self._fleet.modems.items()}
        self._figures.modems = usable
        return self._figures

    async def _look(self) -> None:
        told = self._figures
        cursor = self._cursor
        try:
            waiting, paused = await self._store.read(lambda c: (figures.waiting(c, _is_live), pauses.standing(c)))
            if cursor is None:
                await self.begin()
            else:
                await self._count(cursor)
        except Unavailable:
            told.store_answers = False
            return
        told.store_answers = True
        queue: Counter[tuple[str, str]] = Counter()
        held: Counter[tuple[str, str]] = Counter()
        for row in waiting.queued:
            category = lane_of(row.lane).category
            queue[paused.shown(Status.QUEUED, category).value, category] += row.messages
        for row in waiting.held:
            queue[Status.HELD.value, row.category] += row.messages
            held[row.hold_rule or "", row.category] += row.messages
        for row in waiting.sending:
            queue[Status.SENDING.value, row.category] += row.messages
        told.queue, told.held, told.uncertain = queue, held, waiting.uncertain
        told.paused = paused.since_us is not None
        due_us = waiting.oldest_due_us
        told.oldest_due_s = 0.0 if due_us is None else max(self._clock.now_us() - due_us, 0) / SECOND_US

    async def _count(self, cursor: Cursor) -> None:
        rows, self._cursor = await self._store.read(lambda c: figures.happened(c, cursor, _MOST_EVENTS))
        told = self._figures
        if rows is None:
            told.messages.clear()
            told.reports, told.reports_sum_s = _no_buckets(), 0.0
            return
        for row in rows:
            word = row.type.partition(".")[2]
            told.messages[word, row.category] += row.messages
            if word not in {Status.DELIVERED, Status.UNDELIVERED}:
                continue
            below = 0
            for at in range(len(figures.REPORT_BOUNDS)):
                within = int(getattr(row, f"within{at}"))
                told.reports[at] += within - below
                below = within
            told.reports[-1] += row.messages - below
            told.reports_sum_s += int(row.delay_us or 0) / SECOND_US
