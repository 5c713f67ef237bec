"""A driver on a scripted modem, stopped after the test; what they wait for takes no time (`support.own_time`)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.driven import Drive, Driven
from support.own_time import alarms_of_the_loop, pytest_asyncio_loop_factories
from support.scripted_modem import ScriptedModem

__all__ = ["alarms_of_the_loop", "pytest_asyncio_loop_factories"]


@pytest.fixture
async def drive() -> AsyncIterator[Drive]:
    made: list[Driven] = []

    def make(modem: ScriptedModem | None = None, **settings: object) -> Driven:
        made.append(Driven(modem or ScriptedModem(), **settings))
        return made[-1]

    yield make
    for driven in made:
        await driven.stop()
