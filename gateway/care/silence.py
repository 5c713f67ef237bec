"""A modem that says of every part that it was sent, while no report ever comes.

Reports are asked for with every part. One that stays away means a telephone that is off; when none comes at all, the
modem may send nothing (a SIM that was barred, a service centre that takes and forgets), or its network gives no
reports: then a lost answer is never cleared up either, and somebody should know that.
"""

from __future__ import annotations

import logging
from collections.abc import Collection

from sqlalchemy import Connection

from gateway.care.rounds import go_round
from gateway.clock import SECOND_US, Clock
from gateway.store import care, events
from gateway.store.database import Store
from gateway.store.schema import AnyRow

log = logging.getLogger(__name__)

MISSING = "modem.reports_missing"
#: So many parts in a row without a report of any; with what is sent until the next look they are twenty.
MOST_PARTS = 15
#: The first of them so long ago: a report takes seconds where telephones are on.
GRACE_US = 45 * SECOND_US
#: Between two looks.
LOOK_US = 10 * SECOND_US


class ReportWatch:
    """Watches the modems of this host until it is cancelled."""

    def __init__(self, store: Store, clock: Clock, node: str, names: Collection[str]) -> None:
        self._store = store
        self._clock = clock
        self._node = node
        self._names = names
        #: The latest mark that was looked at, and whether something may change without a further one.
        self._seen = -1
        self._open = False

    async def run(self) -> None:
        """Look whether reports come, as long as something is sent."""
        await go_round(self._clock, "silence", self._look)

    async def _look(self) -> int:
        now_us = self._clock.now_us()
        newest = await self._store.read(care.newest_mark)
        if newest != self._seen or self._open:
            self._seen, self._open = newest, await self._compare(now_us)
        return now_us + LOOK_US

    async def _compare(self, now_us: int) -> bool:
        """Tell what has changed; whether it may change again although nothing is sent."""
        rows, sent = await self._store.read(
            lambda connection: (care.rows(connection, self._node), care.unreported(connection, self._node))
        )
        silent = {name: row for name, row in sent.items() if name in self._names and row.parts >= MOST_PARTS}
        known = {name for name, row in rows.items() if row.unreported_us is not None}
        new = [row for name, row in silent.items() if name not in known and now_us - row.since_us >= GRACE_US]
        heard = [name for name in known if name not in sent or sent[name].since_us > rows[name].unreported_us]
        if new or heard:
            await self._store.write(lambda connection: self._tell(connection, new, heard, now_us))
        return bool(silent or known)

    def _tell(self, connection: Connection, new: Collection[AnyRow], heard: Collection[str], now_us: int) -> None:
        for row in new:
            care.write(connection, self._node, row.modem, unreported_us=row.since_us)
            people = "one person" if row.people == 1 else f"{row.people} people"
            detail = f"{row.modem}: {row.parts} parts to {people} were taken, and no report came of any"
            events.record(connection, now_us, MISSING, detail=detail, facts={"name": row.modem, "node": self._node})
            log.error("reports missing", extra={"action": "reports_missing", "modem": row.modem, "detail": detail})
        for name in heard:
            care.write(connection, self._node, name, unreported_us=None)
            log.info("reports come again", extra={"action": "reports_back", "modem": name})
