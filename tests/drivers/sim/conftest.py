"""A terminal at a simulated modem: commands in, the modem's words out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest

from drivers.sim import SimSettings, SimulatedModem, SimulatedNetwork

MOMENT = datetime(2026, 1, 5, 10, 0, tzinfo=UTC)


class Terminal:
    """The other end of a modem's wire, without a wire."""

    def __init__(self, modem: SimulatedModem) -> None:
        self.modem = modem
        self._heard = bytearray()
        modem.attach(self._heard.extend)

    def heard(self) -> list[str]:
        """The lines since the last call, without empty ones."""
        text = self._heard.decode()
        self._heard.clear()
        return [line for line in text.split("\r\n") if line]

    def say(self, *pieces: str) -> list[str]:
        """Send each piece and return what the modem said meanwhile."""
        for piece in pieces:
            self.modem.receive_data(piece.encode())
        return self.heard()

    def command(self, text: str) -> list[str]:
        """One command line's answer, which must end with OK; OK itself is left out."""
        answer = self.say(text + "\r")
        assert answer[-1] == "OK", answer
        return answer[:-1]

    def submit(self, tpdu: bytes) -> list[str]:
        """Send a TPDU in PDU mode through the service centre of the SIM."""
        return self.say(f"AT+CMGS={len(tpdu)}\r", "00" + tpdu.hex() + "\x1a")


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
