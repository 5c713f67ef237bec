"""Reports of 100 000 messages: in how much time, and whether anybody waits for it."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from support.bench import make_bench
from support.clock import ManualClock
from support.long_run import hours_asked_for
from support.memory import peak_mib
from support.place import Blank, Place
from support.postgresql import Database
from support.reporting import CAMPAIGN, DAY_US, SECOND_US, START_US, Fate, Ledger
from support.settings import settings_in

from gateway.campaigns import reading
from gateway.campaigns.report_html import Paper
from gateway.campaigns.report_page import page_of_report
from gateway.campaigns.reporting import Reporter
from gateway.ids import first_id
from gateway.store.database import Store
from gateway.store.opening import KEY_NAME
from gateway.store.report_figures import Span

pytestmark = pytest.mark.long

#: A fifth of it in the short form: what is told grows with the number, what is held to does not.
PEOPLE = 100_000 if hours_asked_for() else 20_000
_AT_ONCE = 5_000
#: Of processors, for each 100 000 messages; and how long nothing else on the event loop had its turn, of which a
#: machine that does other things is allowed as much again.
MOST_S, MOST_STALL_S = 10.0, 0.25
MOST_MORE_MIB = 100.0


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "sqlite":
        blank: Blank = request.getfixturevalue("blank")
        blank.copy_to(tmp_path)
        return Place(tmp_path, None)
    database: Database = request.getfixturevalue("postgresql_database")
    (tmp_path / KEY_NAME).write_bytes(database.key)
    return Place(tmp_path, database)


@pytest.fixture
async def store(place: Place) -> AsyncIterator[Store]:
    opened = place.open()
    yield opened
    await opened.close()


def fate(chance: random.Random) -> Fate:
    """Some answer, some follow a link, some leave; through two modems, over two weeks."""
    rolled = chance.random()
    return Fate(
        variant=chance.randrange(2),
        status="delivered" if rolled < 0.9 else "sent" if rolled < 0.95 else "failed",
        error=None if rolled < 0.95 else "unknown_subscriber",
        begun_us=START_US + chance.randrange(14) * DAY_US + chance.randrange(10) * 3600 * SECOND_US,
        replies=(chance.expovariate(1 / 600),) if chance.random() < 0.1 else (),
        people=(30.0,) if chance.random() < 0.2 else (),
        bots=(1.0,) if chance.random() < 0.05 else (),
        left=3600.0 if chance.random() < 0.01 else None,
        bought=(9.5,) if chance.random() < 0.02 else (),
        fields={"modem": f"sim{chance.randrange(2) + 1}"},
    )


class Beat:
    """Has its turn on the event loop every few milliseconds, and knows for how long it had none."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def run(self) -> None:
        while True:
            before_s = time.monotonic()
            await asyncio.sleep(0.005)  # the beat itself: what is measured is how much later it comes
            self.longest_s = max(self.longest_s, time.monotonic() - before_s - 0.005)


def _delay_s() -> float:
    """How long this thread was ready and had no processor."""
    return int(Path("/proc/thread-self/schedstat").read_text(encoding="ascii").split()[1]) / 1e9


async def _measured(what: str, work: Awaitable[object], tell: Callable[[str], None]) -> None:
    beat = Beat()
    beating = asyncio.create_task(beat.run())
    await asyncio.sleep(0)
    began_s, used_s, late_s, before_mib = time.monotonic(), time.process_time(), _delay_s(), peak_mib(os.getpid())
    await work
    took_s, used_s, late_s = time.monotonic() - began_s, time.process_time() - used_s, _delay_s() - late_s
    beating.cancel()
    more_mib = peak_mib(os.getpid()) - before_mib
    tell(
        f"{what}, {PEOPLE} messages: {took_s:.1f} s, {used_s:.1f} s of processors, {more_mib:.0f} MiB more; "
        f"the loop waited {1000 * beat.longest_s:.0f} ms at most"
    )
    assert used_s <= MOST_S * PEOPLE / 100_000
    assert beat.longest_s <= MOST_STALL_S + min(late_s, MOST_STALL_S)
    assert more_mib <= MOST_MORE_MIB


async def test_reports_of_many_messages_keep_nobody_waiting(
    place: Place, store: Store, seeded: random.Random, tell: Callable[[str], None]
) -> None:
    bench = await make_bench(settings_in(place.folder), store, ManualClock())
    ledger = Ledger(store, bench.principal.token_id)
    await ledger.begin("direct", "polite", metric="reply")
    for _ in range(0, PEOPLE, _AT_ONCE):
        await ledger.write(*[fate(seeded) for _ in range(_AT_ONCE)])
    found = await store.read(lambda connection: reading.find(connection, CAMPAIGN))
    assert found is not None
    reporter = Reporter(store, bench.clock, "Europe/Paris")
    name = "SQLite" if place.database is None else "PostgreSQL"

    async def page() -> None:
        report = await reporter.campaign(found, test=False, operators={})
        month = await reporter.pressure("2026-03", START_US, START_US + 30 * DAY_US, test=False)
        assert report.whole.accepted == PEOPLE
        assert sum(month.people) == report.whole.begun - report.whole.statuses["failed"]
        written = await asyncio.to_thread(page_of_report, report, month, Paper("fr", ZoneInfo("Europe/Paris")))
        assert "Rapport de campagne" in written

    await _measured(f"{name}: page of a campaign", page(), tell)
    span = Span(first=first_id(START_US - DAY_US), end=first_id(START_US + DAY_US))
    for by in ("modem", "segment"):
        await _measured(f"{name}: messages by {by}", reporter.messages(span, 0, 1, by, {}), tell)
    await _measured(f"{name}: hours", reporter.timing(span, 0, 1, None), tell)
