"""What drivers wait for takes no time (`support.own_time`)."""

from __future__ import annotations

from support.own_time import alarms_of_the_loop, pytest_asyncio_loop_factories

__all__ = ["alarms_of_the_loop", "pytest_asyncio_loop_factories"]
