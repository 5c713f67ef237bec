"""Going through everybody to see who is in a segment.

Contacts are read in small steps and judged in the process beside the gateway, so that neither a modem nor a request
waits for either; while one step is judged the next is read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from gateway.clock import Clock
from gateway.config.settings import Settings
from gateway.errors import InvalidRequest
from gateway.people.aside import Aside, TookTooLong
from gateway.people.contacts import Types, types_of
from gateway.people.expression import Row
from gateway.people.expression_jobs import Judged, columns_of_all, judge
from gateway.people.expression_values import Moment
from gateway.people.history_facts import facts_of
from gateway.store import contacts, segments
from gateway.store.database import Store
from gateway.store.schema import AnyRow

# Contacts in a step: some hundredths of a second of reading, and as long of judging.
_STEP: Final = 1000
# In seconds, for a step: what is usual is a thirtieth of one.
_WITHIN: Final = 10.0


@dataclass(frozen=True, slots=True)
class Step:
    """Some contacts and what came of them. `rows` are those of `contacts.joined`; the places in `judged` are theirs.
    `last` is the row of the last contact that was looked at."""

    rows: Sequence[AnyRow]
    judged: Judged
    last: int


@dataclass(frozen=True, slots=True)
class _Walk:
    sources: tuple[str, ...]
    only: Collection[str] | None = None
    newest_first: bool = False


@dataclass(frozen=True, slots=True)
class _Read:
    """`last` is 0 when there was nothing left to read."""

    rows: Sequence[AnyRow]
    given: Sequence[Row]
    last: int


class Crowd:
    """Everybody whom the owner knows."""

    def __init__(self, settings: Settings, store: Store, clock: Clock, aside: Aside) -> None:
        self._store = store
        self._clock = clock
        self._aside = aside
        self._timezone = settings.gateway.timezone

    async def types(self) -> Types:
        """The types of the attributes that contacts have."""
        return await self._store.read(types_of)

    def steps(self, sources: Sequence[str], *, only: Collection[str] | None = None) -> AsyncGenerator[Step]:
        """All contacts in the order in which they were added, judged by these filters: whoever one of them holds for is
        in. It is the same moment for all. With `only` none but those of these numbers. Raises `InvalidRequest` when a
        filter takes too long."""
        return self._steps(_Walk(tuple(sources), only), 0)

    def back(self, source: str, before: int, *, only: Collection[str] | None = None) -> AsyncGenerator[Step]:
        """The same the other way round, from in front of this row on."""
        return self._steps(_Walk((source,), only, newest_first=True), before)

    async def _steps(self, walk: _Walk, start: int) -> AsyncGenerator[Step]:
        moment = Moment(self._clock.now_us(), self._timezone)
        columns = columns_of_all(walk.sources)
        types = await self.types()
        reading = self._reading(walk, columns, start, moment)
        try:
            while (read := await reading).last:
                # The next step is read while this one is judged.
                reading = self._reading(walk, columns, read.last, moment)
                yield Step(read.rows, await self._judged(walk.sources, types, moment, read.given), read.last)
        finally:
            reading.cancel()

    def _reading(self, walk: _Walk, columns: Sequence[str], start: int, moment: Moment) -> asyncio.Task[_Read]:
        def work(connection: Connection) -> _Read:
            rows = (segments.people_before if walk.newest_first else contacts.after)(connection, start, _STEP)
            some = rows if walk.only is None else [row for row in rows if row.number in walk.only]
            return _Read(some, facts_of(connection, some, columns, moment.now_us), rows[-1].id if rows else 0)

        return asyncio.create_task(self._store.read(work))

    async def _judged(
        self, sources: tuple[str, ...], types: Mapping[str, str], moment: Moment, given: Sequence[Row]
    ) -> Judged:
        if not given:
            return Judged((), {}, 0)
        try:
            return await self._aside.run(_WITHIN, judge, sources, types, moment, given)
        except TookTooLong:
            raise too_slow() from None


def too_slow() -> InvalidRequest:
    """A filter that needs too much time or memory."""
    return InvalidRequest.field("filter_too_slow", "/filter", "the filter takes too long or too much memory")
