"""The stream of events without HTTP: signs of life, and two hosts on one database."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import settings_in
from support.waiting import eventually

from gateway.notify.happenings import Happening
from gateway.notify.stream import LOOK_US
from gateway.requests import Principal
from gateway.services.events import HEARTBEAT_US, Events
from gateway.store import events
from gateway.store.database import Store
from gateway.store.opening import KEY_NAME

READER = Principal(1, "reader", frozenset({"read", "read:all"}))


def _told(happening: Happening) -> bytes:
    return happening.type.encode()


@asynccontextmanager
async def stream_of(store: Store, clock: ManualClock) -> AsyncIterator[Events]:
    made = Events(store, clock, _told, settings_in(Path()))
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()


def at_rest(clock: ManualClock, most_us: int) -> bool:
    """Whether somebody waits for the end of this time."""
    return any(sleeper.until_us == clock.monotonic_us() + most_us for sleeper in clock._sleepers)


def happen(connection: Connection, kind: str) -> None:
    events.record(connection, 1, kind)


async def test_a_sign_of_life_comes_when_nothing_happens(store: Store, clock: ManualClock):
    async with stream_of(store, clock) as stream:
        listening = await stream.open(READER, None, ())
        waiting = asyncio.create_task(stream.next(listening))
        await eventually(lambda: at_rest(clock, HEARTBEAT_US), 10, "a listener that waits")
        clock.advance(timedelta(microseconds=HEARTBEAT_US - 1))
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.advance(timedelta(microseconds=1))
        assert list(await waiting or ()) == []
        stream.leave(listening)


async def test_what_another_host_commits_late_is_not_lost(
    postgresql_database: Database, tmp_path: Path, clock: ManualClock
):
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    place = Place(tmp_path, postgresql_database)
    here, other = place.open("test-1"), place.open("test-2")
    begun, go = threading.Event(), threading.Event()

    def slowly(connection: Connection) -> None:
        happen(connection, "modem.down")
        # What is only written goes to the server with what is asked next.
        events.newest(connection)
        begun.set()
        assert go.wait(20)

    async with stream_of(here, clock) as stream:
        listening = await stream.open(READER, None, ())
        late = asyncio.create_task(other.write(slowly))
        assert await asyncio.to_thread(begun.wait, 20)
        await here.write(lambda connection: happen(connection, "modem.up"))
        following = asyncio.create_task(stream.next(listening))
        for _ in range(3):
            await here.read(events.newest)
            clock.advance(timedelta(microseconds=LOOK_US))
        # What was committed first has the later id, and waits for the other.
        assert not following.done()
        go.set()
        await late

        def both() -> bool:
            clock.advance(timedelta(microseconds=LOOK_US))
            return len(seen) == 2

        async def see() -> None:
            seen.extend(each.body for each in await following or ())
            while len(seen) < 2:
                seen.extend(each.body for each in await stream.next(listening) or ())

        seen: list[bytes] = []
        seeing = asyncio.create_task(see())
        await eventually(both, 10, "both events")
        await seeing
        assert seen == [b"modem.down", b"modem.up"]
    await here.close()
    await other.close()
