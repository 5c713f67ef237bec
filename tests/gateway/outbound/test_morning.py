"""The minute at which a night's messages are let go."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.bench import Bench, make_bench
from support.clock import START_US, ManualClock
from support.place import Place
from support.settings import settings_in

from gateway.clock import SECOND_US
from gateway.message import Status
from gateway.outbound.dispatcher import Dispatcher

_COPIES = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {many})
INSERT INTO message (id, {names}) SELECT printf('%032x', i), {names} FROM message, n WHERE message.id = '{one}'
"""


async def _held(bench: Bench, until_us: int, many: int) -> None:
    """A night's messages, all held until this instant."""
    one = await bench.accept(send_us=until_us)

    def copied(connection: Connection) -> None:
        columns = [row[1] for row in connection.exec_driver_sql("PRAGMA table_info(message)") if row[1] != "id"]
        names = ", ".join(f'"{name}"' for name in columns)
        connection.exec_driver_sql(_COPIES.format(many=many, names=names, one=one.id))

    await bench.store.write(copied)


@pytest.mark.parametrize("many", [6_000, pytest.param(20_000, marks=pytest.mark.long)])
async def test_an_alarm_of_that_minute_does_not_stand_behind_them(
    tmp_path: Path, clock: ManualClock, many: int
) -> None:
    store = Place(tmp_path, None).open()
    bench = await make_bench(settings_in(tmp_path), store, clock)
    morning_us = START_US + 3600 * SECOND_US
    await _held(bench, morning_us, many)
    alarm = await bench.accept("+33698765432", category="emergency", send_us=morning_us + SECOND_US)
    clock.advance(timedelta(hours=1))
    released_us = clock.now_us()
    dispatcher = Dispatcher(store, clock, lambda: None)
    while (await bench.get(alarm.id)).status is Status.HELD:
        until_us = await dispatcher._step()
        released_us = clock.now_us()
        clock.advance(timedelta(microseconds=max((until_us or 0) - released_us, 1)))
    await store.close()
    assert released_us - morning_us <= 5 * SECOND_US
