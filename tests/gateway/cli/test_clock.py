"""`tocsin clock`: through the gateway, and on the store where no gateway answers."""

from __future__ import annotations

import asyncio
from pathlib import Path

from support.clock import ManualClock
from support.command_line import documents, passed

from gateway.clock import SECOND_US, SystemClock
from gateway.config.loader import load_settings
from gateway.daemon import offline_services

DAY_US = 24 * 3600 * SECOND_US


def test_through_the_gateway(tocsin):
    assert passed(tocsin("clock")).endswith("the clock is trusted\n")
    (state,) = documents(tocsin("clock", "--json"))
    assert (state["trusted"], state["reason"], state["database_ahead_s"]) == (True, None, None)
    (state,) = documents(tocsin("clock", "confirm", "--json"))
    assert state["trusted"] is True


def test_on_the_store_alone(bare, config: Path) -> None:
    """A clock that had been a year ahead, and had been believed."""

    async def begin(wall_us: int) -> None:
        async with offline_services(load_settings(config, {}), ManualClock(wall_us)):
            pass

    asyncio.run(begin(SystemClock().now_us() + 365 * DAY_US))
    shown = passed(bare("--config", str(config), "clock"))
    assert "the clock cannot be trusted: it says a time before one that has been, since " in shown
    assert shown.endswith("or say that it is: tocsin clock confirm\n")
    assert passed(bare("--config", str(config), "clock", "confirm")).endswith("the clock is trusted\n")
    assert passed(bare("--config", str(config), "clock")).endswith("the clock is trusted\n")
    (state,) = documents(bare("--config", str(config), "clock", "--json"))
    assert state["trusted"] is True
