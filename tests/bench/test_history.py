"""What is done for each message costs what waits, never what is finished: counted in steps of SQLite's own machine."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
import support.settings
from sqlalchemy import Connection

from bench.filling import MODEM, Works, fill_open, settings_in, works_on
from gateway.config.settings import ModemConfig
from gateway.outbound.gate import Gate
from gateway.outbound.routes import known_prefixes
from gateway.rules.routing import table_of
from gateway.store import lanes, queue, upkeep
from gateway.store.opening import open_configured

FINISHED = 3000
#: Of a hundred instructions each. What reads the finished ones through takes hundreds of these.
MOST_STEPS = 20


@pytest.fixture
async def works(tmp_path: Path) -> AsyncIterator[Works]:
    settings = settings_in(tmp_path, {"modem0": "/dev/ttyUSB77"})
    store = open_configured(settings)
    works = await works_on(settings, store)
    await fill_open(works, queued=1, finished=FINISHED)
    yield works
    await store.close()


def _steps(connection: Connection, work: Callable[[Connection], object]) -> int:
    raw = connection.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    raw.set_progress_handler(step, 100)
    try:
        work(connection)
    finally:
        raw.set_progress_handler(None, 0)
    return steps


@pytest.mark.parametrize(
    "work",
    [
        upkeep.next_due_us,
        lambda connection: upkeep.expire(connection, 0),
        lanes.waiting,
        lambda connection: lanes.ready(connection, lanes.waiting(connection)[0].lane, 2**60),
        lambda connection: queue.begun(connection, MODEM, 2**60),
    ],
    ids=["next_due_us", "expire", "waiting", "ready", "begun"],
)
async def test_it_costs_what_waits(works: Works, work: Callable[[Connection], object]):
    assert await works.store.write(lambda connection: _steps(connection, work)) <= MOST_STEPS


async def test_the_count_sees_what_reads_everything_through(works: Works):
    def every_row(connection: Connection) -> object:
        return connection.exec_driver_sql("SELECT count(text) FROM message").scalar()

    assert await works.store.write(lambda connection: _steps(connection, every_row)) > MOST_STEPS


@pytest.fixture
async def unsuitable(tmp_path: Path) -> AsyncIterator[Works]:
    """A store in which much is queued that no modem of ours may take."""
    settings = settings_in(tmp_path, {"modem0": "/dev/ttyUSB77"})
    store = open_configured(settings)
    works = await works_on(settings, store)
    await fill_open(works, queued=FINISHED)
    yield works
    await store.close()


async def test_what_a_modem_may_not_take_costs_its_claim_nothing(unsuitable: Works):
    free = ModemConfig("modem0", "/dev/ttyUSB77", None, None, None, (), ())
    belgian, alarm = {"modem0": replace(free, prefixes=("+32",))}, {"modem0": replace(free, categories=("emergency",))}
    # As a gateway with these prefixes would have accepted them.
    table = table_of(known_prefixes(belgian))

    def rewrite(connection: Connection) -> None:
        connection.exec_driver_sql(f"UPDATE message SET lane = substr(lane, 1, length(lane) - 1) || '+33/{table}'")

    async def steps_of_claim(modems: dict[str, ModemConfig]) -> int:
        gate = Gate(replace(support.settings.settings_in(Path("state")), modems=modems, categories={}))

        def claim(connection: Connection) -> None:
            assert gate.next(connection, MODEM, 2**60) is None

        return await unsuitable.store.write(lambda connection: _steps(connection, claim))

    assert await steps_of_claim(alarm) <= MOST_STEPS
    await unsuitable.store.write(rewrite)
    assert await steps_of_claim(belgian) <= MOST_STEPS
