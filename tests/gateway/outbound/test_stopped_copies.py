"""A further copy of an uncertain message comes due at one host while another hears STOP."""

from __future__ import annotations

import asyncio
import threading
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection
from support.clock import ManualClock
from support.place import Place
from support.postgresql import Database
from support.settings import category
from support.two_hosts import two_hosts

from gateway.clock import SECOND_US
from gateway.message import PartEvent, Status
from gateway.store import optouts
from gateway.store.opening import KEY_NAME

AGAIN = category("again", on_uncertain="resend", resend_after_us=20 * SECOND_US)


async def test_no_copy_follows_a_stop_that_was_heard_before_it(
    postgresql_database: Database, tmp_path: Path, clock: ManualClock
) -> None:
    (tmp_path / KEY_NAME).write_bytes(postgresql_database.key)
    place = Place(tmp_path, postgresql_database)
    async with two_hosts(place, tmp_path, clock, categories=(AGAIN,)) as hosts:
        a, b = hosts.a.bench, hosts.b.bench
        message = await a.accept(category=AGAIN.name)
        marked = await hosts.a.next()
        assert marked is not None
        await hosts.a.settle(marked, PartEvent.OUTCOME_LOST)
        clock.advance(timedelta(seconds=30))
        person = int(str(hosts.rows("SELECT recipient_id FROM message")[0][0]))
        heard, ends, loop = asyncio.Event(), threading.Event(), asyncio.get_running_loop()

        def stop(connection: Connection) -> None:
            categories = tuple(b.settings.categories)
            optouts.stop(connection, person, "", clock.now_us(), source="sms:stop", stoppable=categories)
            loop.call_soon_threadsafe(heard.set)
            ends.wait()

        stopping = asyncio.ensure_future(b.store.write(stop))
        await heard.wait()
        await a.upkeep()
        ends.set()
        await stopping
        await a.upkeep()
        assert await hosts.a.next() is None
        assert await hosts.b.next() is None
        assert (await a.get(message.id)).status is Status.UNCERTAIN
