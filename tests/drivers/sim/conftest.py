"""A terminal at a simulated modem: commands in, the modem's words out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from support.own_time import alarms_of_the_loop, pytest_asyncio_loop_factories
from support.terminal import Terminal

from drivers.sim import SimSettings, SimulatedModem, SimulatedNetwork

__all__ = ["alarms_of_the_loop", "pytest_asyncio_loop_factories"]

MOMENT = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


@pytest.fixture
def network() -> SimulatedNetwork:
    return SimulatedNetwork(lambda: MOMENT)


@pytest.fixture
def terminal_for(network: SimulatedNetwork) -> Iterator[Callable[..., Terminal]]:
    """Makes a modem on the test's network, with the settings given by name, and a terminal at it."""
    modems = []

    def make(**settings: object) -> Terminal:
        modem = SimulatedModem(SimSettings(**{"echo": False, "report_delay": 0, **settings}), network)
        modems.append(modem)
        return Terminal(modem)

    yield make
    for modem in modems:
        modem.close()


@pytest.fixture
def terminal(terminal_for: Callable[..., Terminal]) -> Terminal:
    return terminal_for()
